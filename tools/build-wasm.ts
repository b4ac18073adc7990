/**
 * Compiles the AssemblyScript kernels to the .wasm files that are committed beside the modules that load them, so that
 * nobody needs the compiler to install or run. The compiler is pinned exactly: the same sources give the same bytes.
 *
 *   node tools/build-wasm.ts           writes the files
 *   node tools/build-wasm.ts --check   writes nothing; exits 1 when a committed file differs from its sources
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

interface Build {
  readonly output: string;
  readonly entry: string;
  readonly options: readonly string[];
}

const COMMON = ['-O3', '--noAssert', '--converge', '--runtime', 'stub'];

/** The importer decides the memory's size, up to all of 4 GiB. */
const SHARED = ['--importMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536'];

const ERASURE = 'packages/erasure/assembly/index.ts';
const erasure = (variant: string, ...options: string[]): Build => ({
  output: `packages/erasure/src/kernel/${variant}.wasm`,
  entry: ERASURE,
  options: ['--enable', 'threads', ...SHARED, ...options],
});

const BUILDS: readonly Build[] = [
  erasure('relaxed', '--enable', 'simd', '--enable', 'relaxed-simd'),
  erasure('simd', '--enable', 'simd'),
  erasure('scalar', '--disable', 'simd'),
  {
    output: 'packages/engine/src/chunking/gear.wasm',
    entry: 'packages/engine/assembly/gear.ts',
    options: ['--initialMemory', '2', '--maximumMemory', '2'],
  },
  {
    output: 'packages/placement/src/assign/early.wasm',
    entry: 'packages/placement/assembly/early.ts',
    options: ['--enable', 'simd', '--importMemory', '--initialMemory', '1'],
  },
  {
    output: 'packages/sources/src/rows/rows.wasm',
    entry: 'packages/sources/assembly/rows.ts',
    // 1 MiB for tuples behind all else; a text field longer than that makes it grow.
    options: ['--enable', 'simd', '--initialMemory', '32', '--maximumMemory', '65536'],
  },
  {
    output: 'packages/sources/src/rows/copy-text.wasm',
    entry: 'packages/sources/assembly/copy-text.ts',
    options: ['--enable', 'simd', '--initialMemory', '5', '--maximumMemory', '5'],
  },
];

const ROOT = fileURLToPath(new URL('..', import.meta.url));

async function compile({ entry, output, options }: Build): Promise<Uint8Array> {
  let binary: Uint8Array | null = null;
  const { error, stderr } = await asc.main(
    [entry, '--baseDir', ROOT, '--outFile', output, ...COMMON, ...options],
    {
      writeFile: (_name, contents) => {
        binary = contents as Uint8Array;
      },
    },
  );
  if (error || !binary) throw new Error(`${entry} does not compile\n${stderr.toString()}`, { cause: error });
  return binary;
}

async function main(check: boolean): Promise<void> {
  for (const build of BUILDS) {
    const path = `${ROOT}${build.output}`;
    const binary = await compile(build);
    const before = await readFile(path).catch(() => null);
    const same = before !== null && Buffer.compare(before, binary) === 0;
    if (!same && check) process.exitCode = 1;
    if (!same && !check) await writeFile(path, binary);
    const state = same ? 'unchanged' : check ? 'DIFFERS from its sources: run npm run build:wasm' : 'written';
    console.log(`${build.output}: ${binary.length} bytes, ${state}`);
  }
}

await main(process.argv.includes('--check'));

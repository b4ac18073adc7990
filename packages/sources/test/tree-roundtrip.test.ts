import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  ftruncateSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copySnapshot } from '@holdfast/testing/copy-snapshot';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { treeSink, treeSource } from '../src/index.ts';
import { allocated, treeFacts } from './tree-facts.ts';

let directory = '';
beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'holdfast-tree-')));
});
afterEach(() => {
  execFileSync('chmod', ['-R', 'u+rwx', directory]);
  rmSync(directory, { recursive: true, force: true });
});

const SLASH = Buffer.from('/');
const below = (parent: Buffer, name: Uint8Array): Buffer => Buffer.concat([parent, SLASH, name]);

type Node = {
  readonly name: Uint8Array;
  readonly mode: number;
  /** Whole seconds: `find` tells them exactly. */
  readonly mtime: number;
  readonly body:
    | {
        readonly kind: 'file';
        readonly pieces: readonly { readonly gap: number; readonly bytes: Uint8Array }[];
        readonly tail: number;
      }
    | { readonly kind: 'directory'; readonly children: readonly Node[] }
    | { readonly kind: 'symlink'; readonly target: Uint8Array }
    | { readonly kind: 'hardlink'; readonly choice: number }
    | { readonly kind: 'fifo' };
};

const oddByte = fc.oneof(
  fc.constantFrom(0x0a, 0x2d, 0x2e, 0x20, 0xff, 0x80, 0x27, 0x5c, 0x2a),
  fc.integer({ min: 1, max: 255 }),
);
const isName = (name: Uint8Array): boolean =>
  !name.includes(0x2f) && !(name.length <= 2 && name.every((byte) => byte === 0x2e));
const name = fc
  .oneof(
    { weight: 5, arbitrary: fc.array(oddByte, { minLength: 1, maxLength: 6 }) },
    fc.array(oddByte, { minLength: 255, maxLength: 255 }),
  )
  .map((bytes) => Uint8Array.from(bytes))
  .filter(isName);
const mtime = fc.integer({ min: -1_000_000_000, max: 4_000_000_000 });
const file = fc.record({
  kind: fc.constant('file' as const),
  pieces: fc.array(
    fc.record({
      gap: fc.constantFrom(0, 0, 5, 4096, 300_000),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 6000 }),
    }),
    { maxLength: 3 },
  ),
  tail: fc.constantFrom(0, 0, 3, 1_000_000),
});
const leaf = fc.oneof(
  { weight: 4, arbitrary: file },
  fc.record({
    kind: fc.constant('symlink' as const),
    target: name.map((bytes) => Buffer.concat([Buffer.from('../'), bytes])),
  }),
  fc.record({ kind: fc.constant('symlink' as const), target: fc.constant(Buffer.from('.')) }),
  fc.record({ kind: fc.constant('hardlink' as const), choice: fc.nat() }),
  fc.constant({ kind: 'fifo' as const }),
);
const { children } = fc.letrec<{ children: readonly Node[]; node: Node }>((tie) => ({
  node: fc.record({
    name,
    mode: fc.integer({ min: 0, max: 0o7777 }),
    mtime,
    body: fc.oneof(
      { maxDepth: 3 },
      leaf,
      fc.record({ kind: fc.constant('directory' as const), children: tie('children') }),
    ),
  }),
  children: fc.uniqueArray(tie('node'), {
    maxLength: 5,
    selector: ({ name: bytes }) => Buffer.from(bytes).toString('hex'),
  }),
}));

function build(parent: Buffer, nodes: readonly Node[], files: Buffer[]): void {
  for (const { name: bytes, mode, mtime: seconds, body } of nodes) {
    const location = below(parent, bytes);
    if (body.kind === 'symlink') {
      symlinkSync(Buffer.from(body.target), location);
      lutimesSync(location, seconds, seconds);
      continue;
    }
    const linked = body.kind === 'hardlink' ? files[body.choice % files.length] : undefined;
    if (linked !== undefined) {
      linkSync(linked, location);
      continue;
    }
    if (body.kind === 'directory') {
      mkdirSync(location);
      build(location, body.children, files);
    } else if (body.kind === 'fifo') {
      execFileSync('mkfifo', [join(directory, 'fifo')]);
      renameSync(join(directory, 'fifo'), location);
    } else {
      writePieces(location, body.kind === 'file' ? body : { pieces: [], tail: 0 });
      files.push(location);
    }
    chmodSync(location, mode);
    utimesSync(location, seconds, seconds);
  }
}

function writePieces(
  location: Buffer,
  body: { pieces: readonly { gap: number; bytes: Uint8Array }[]; tail: number },
): void {
  const descriptor = openSync(location, 'wx');
  let position = 0;
  for (const { gap, bytes } of body.pieces) {
    writeSync(descriptor, bytes, 0, bytes.length, position + gap);
    position += gap + bytes.length;
  }
  ftruncateSync(descriptor, position + body.tail);
  closeSync(descriptor);
}

test('any tree comes back as it was, by the account of other programs', async () => {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(children, fc.integer({ min: 4096, max: 300_000 }), async (nodes, bufferBytes) => {
      run += 1;
      const source = join(directory, `source${run}`);
      const target = join(directory, `target${run}`);
      mkdirSync(source, { mode: 0o751 });
      build(Buffer.from(source), nodes, []);
      const snapshot = await treeSource({ path: source }).open();
      await copySnapshot(snapshot, treeSink({ path: target, overwrite: false }), { bufferBytes });
      await snapshot.close();
      expect(snapshot.problems).toEqual([]);
      expect(treeFacts(target)).toEqual(treeFacts(source));
    }),
    { numRuns: Number(process.env.HOLDFAST_TREE_RUNS ?? 15) },
  );
}, 120_000);

test('holes stay holes, and zeros that were written need not', async () => {
  const source = join(directory, 'source');
  mkdirSync(source);
  const path = join(source, 'sparse');
  const descriptor = openSync(path, 'wx');
  writeSync(descriptor, Buffer.alloc(10_000, 1), 0, 10_000, 50_000_000);
  ftruncateSync(descriptor, 200_000_000);
  closeSync(descriptor);
  writeFileSync(join(source, 'zeros'), Buffer.alloc(1_000_000));
  const snapshot = await treeSource({ path: source }).open();
  await copySnapshot(snapshot, treeSink({ path: join(directory, 'target'), overwrite: false }));
  expect(allocated(join(directory, 'target', 'sparse'))).toBeLessThan(100_000);
  expect(treeFacts(join(directory, 'target'))).toEqual(treeFacts(source));
});

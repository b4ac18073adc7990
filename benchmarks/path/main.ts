/** `npm run bench:path`: whole backups and restores, each as a process of its own, beside restic on the same data. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { machine, print, type Result } from '../harness/report.ts';
import { putAside } from './aside.ts';
import type { SourceKind } from './contender.ts';
import { makeData } from './data.ts';
import { HoldfastLab, holdfastContender } from './holdfast.ts';
import { MEMORY_LIMIT_MIB, memoryResults, withinMemory } from './memory.ts';
import { findRestic, resticContender } from './restic.ts';
import { resultsOf } from './results.ts';
import { playRound, type Round } from './rounds.ts';

const HELP = `npm run bench:path -- [--json] [--quick] [--memory] [--only KIND] [--runs COUNT]
                     [--directory DIR]

Backup, unchanged backup, 1 %-changed backup and restore of a 1 GiB SQLite database and of a 1 GiB file tree through 10
loopback peers at k = 4, m = 2, beside restic on the same data; medians of 3 alternating runs.

  --json           one object on standard output
  --quick          128 MiB and a single run; with --memory 512 MiB
  --memory         instead: 8 GiB through standard input, to see that memory stays below ${MEMORY_LIMIT_MIB} MiB; exit code 1 if not
  --only KIND      database or tree alone
  --runs COUNT     how many runs
  --directory DIR  where to work (default: the system's directory for temporary files); all on one disk,
                   20 GiB of it for a while
`;
const MiB = 2 ** 20;
const KINDS: readonly SourceKind[] = ['database', 'tree'];

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      memory: { type: 'boolean', default: false },
      only: { type: 'string' },
      runs: { type: 'string' },
      directory: { type: 'string', default: tmpdir() },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const directory = await mkdtemp(join(values.directory, 'holdfast-bench-'));
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => void abandon(directory));
  try {
    const { quick } = values;
    const restic = values.memory ? null : await findRestic(tell);
    const results = values.memory
      ? await memoryResults(join(directory, 'lab'), (quick ? 512 : 8192) * MiB, tell)
      : await pathResults(
          directory,
          KINDS.filter((kind) => kind === (values.only ?? kind)),
          quick ? 128 * MiB : 1024 * MiB,
          Number(values.runs ?? (quick ? 1 : 3)),
          restic,
        );
    const peers: Record<string, string> = restic === null ? {} : { restic };
    print({ bench: 'path', machine: { ...machine(), ...peers }, results }, values.json);
    return !values.memory || withinMemory(results) ? 0 : 1;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function pathResults(
  directory: string,
  kinds: readonly SourceKind[],
  bytes: number,
  runs: number,
  restic: string | null,
): Promise<Result[]> {
  tell(restic === null ? 'restic cannot be had: its ratios are left out.' : `beside restic ${restic}`);
  const makers = restic === null ? [holdfastContender] : [holdfastContender, resticContender];
  const results: Result[] = [];
  for (const kind of kinds) {
    tell(`making the ${kind} …`);
    const data = await makeData(kind, join(directory, kind), bytes);
    const rounds: Round[] = [];
    for (let run = 0; run < runs; run++) {
      const order = run % 2 === 0 ? makers : makers.toReversed();
      rounds.push(...(await playRound(data, order, join(directory, `round-${kind}-${run}`), tell)));
    }
    results.push(...resultsOf(kind, rounds));
    await putAside(join(directory, kind), directory);
  }
  return results;
}

/** Interrupted: nothing is worth keeping. */
async function abandon(directory: string): Promise<never> {
  await HoldfastLab.abandonAll();
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  process.exit(130);
}

const tell = (line: string): void => void process.stderr.write(`${line}\n`);

process.exitCode = await main();

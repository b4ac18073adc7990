/** `npm run bench:db`: a PostgreSQL database, beside pg_dump and beside pg_dump piped into restic. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PostgresServer } from '@holdfast/testing/servers/postgres-server';
import { machine, print } from '../harness/report.ts';
import { HoldfastLab } from '../path/holdfast.ts';
import { findRestic } from '../path/restic.ts';
import { ChatDatabase } from './chat-database.ts';
import { holdfastContender } from './holdfast.ts';
import { pgDumpContender } from './pg-dump.ts';
import { resticContender } from './restic.ts';
import { resultsOf } from './results.ts';
import { type MakeContender, playRound, type Round } from './rounds.ts';

const CONTENDERS = ['holdfast', 'pg_dump', 'restic'];

const HELP = `npm run bench:db -- [--json] [--quick] [--runs COUNT] [--mib COUNT] [--only NAME,…] [--profiles DIR]
                   [--directory DIR]

A 1 GiB PostgreSQL 15 database of a chat service: first backup, unchanged, 5 % of the messages edited all over, the newest
5 % edited, restore, through 10 loopback peers at k = 4, m = 2; beside pg_dump -Fc with pg_restore -j2, and beside
pg_dump | restic. What is restored is compared with the source. Medians of 3 alternating runs.

  --json           one object on standard output
  --quick          48 MiB and a single run
  --runs COUNT     how many runs
  --mib COUNT      about so large a database
  --only NAME,…    of holdfast, pg_dump, restic
  --profiles DIR   CPU profiles of Holdfast's process, which slow it down
  --directory DIR  where storages go (default: the system's directory for temporary files); 10 GiB for a while
`;
const MiB = 2 ** 20;

/** As on a small server of one's own; durable, with PostgreSQL's defaults for what is not named. */
const SETTINGS = {
  fsync: 'on',
  shared_buffers: '512MB',
  maintenance_work_mem: '128MB',
  max_wal_size: '4GB',
  checkpoint_timeout: '30min',
  // It would come at any time, and be paid for by whoever's turn it is.
  autovacuum: 'off',
};

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      runs: { type: 'string' },
      mib: { type: 'string' },
      only: { type: 'string', default: 'holdfast,pg_dump,restic' },
      profiles: { type: 'string' },
      directory: { type: 'string', default: tmpdir() },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const missing = await PostgresServer.missing(15);
  if (missing) throw new Error(missing);
  const only = values.only.split(',');
  const unknown = only.find((name) => !CONTENDERS.includes(name));
  if (unknown !== undefined) throw new Error(`--only ${unknown}: there are ${CONTENDERS.join(', ')}.`);
  const restic = only.includes('restic') ? await findRestic(tell) : null;
  if (only.includes('restic') && !restic) tell('restic cannot be had: its ratios are left out.');
  const makers: [string, MakeContender][] = [
    ['holdfast', (chat, at) => holdfastContender(chat, at, values.profiles)],
    ['pg_dump', pgDumpContender],
    ...(restic ? [['restic', resticContender] as [string, MakeContender]] : []),
  ];
  const bytes = Number(values.mib ?? (values.quick ? 48 : 1024)) * MiB;
  const runs = Number(values.runs ?? (values.quick ? 1 : 3));
  const chosen = makers.filter(([name]) => only.includes(name)).map(([, make]) => make);
  const rounds = await play(values.directory, bytes, runs, chosen);
  const peers = { postgres: 15, ...(restic ? { restic } : {}) };
  print({ bench: 'db', machine: { ...machine(), ...peers }, results: resultsOf(rounds) }, values.json);
}

async function play(
  parent: string,
  bytes: number,
  runs: number,
  makers: readonly MakeContender[],
): Promise<Round[]> {
  const directory = await mkdtemp(join(parent, 'holdfast-bench-'));
  const server = await PostgresServer.start({ settings: SETTINGS });
  const abandon = async (): Promise<never> => {
    await HoldfastLab.abandonAll();
    await server[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    process.exit(130);
  };
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => void abandon());
  try {
    tell('making the database …');
    const chat = await ChatDatabase.make(server, bytes);
    const rounds: Round[] = [];
    for (let run = 0; run < runs; run++) {
      const order = makers.map((_, i) => makers[(i + run) % makers.length]!);
      rounds.push(...(await playRound(chat, order, join(directory, `round-${run}`), tell)));
    }
    return rounds;
  } finally {
    await server[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

const tell = (line: string): void => void process.stderr.write(`${line}\n`);

await main();

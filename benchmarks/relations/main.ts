/** `npm run bench:relations`: what the relationship matrix takes for many shards, and how quickly it answers. */
import { parseArgs } from 'node:util';
import type { PartitionId, PeerId } from '@holdfast/contracts';
import { matrixBytesAtMost, RelationshipMatrix } from '@holdfast/placement/relations';
import { processFacts } from '../harness/process-facts.ts';
import { machine, print, type Result, rounded } from '../harness/report.ts';

const HELP = `npm run bench:relations -- [--json] [--quick] [--shards COUNT]

Builds a matrix of so many shards (10^8 by default: some minutes and 2 GiB) in partitions of 10+4 on 1 000 peers, pairs of
which are sibling column families, moves 1 % of the shards, and asks about random ones.

  --json           one object on standard output
  --quick          10^6 shards
  --shards COUNT
`;

const [K, N, PEERS, LOOKUPS, DIFFERENT] = [10, 14, 1000, 1_000_000, 200_000];
const NOW = 1_800_000_000_000;

/** Looks random, is the same at every run, and differs for different `n`: each step can be undone. */
const idOf = (n: number): PartitionId => {
  const word = (seed: number) => {
    const mixed = Math.imul(n ^ seed, 0x9e3779b1);
    return ((mixed ^ (mixed >>> 15)) >>> 0).toString(16).padStart(8, '0');
  };
  const [a, b, c, d] = [word(0), word(0x5bd1e995), word(0x27d4eb2f), word(0x165667b1)];
  return `${a}-${b.slice(0, 4)}-${b.slice(4)}-${c.slice(0, 4)}-${c.slice(4)}${d}` as PartitionId;
};
const peerOf = (n: number): PeerId => `peer ${n % PEERS}` as PeerId;

/** Numbers that are random enough to defeat caches. */
function* scattered(count: number, below: number): Generator<number> {
  for (let i = 1; i <= count; i++) yield (Math.imul(i, 0x9e3779b1) >>> 0) % below;
}

function build(partitions: number): RelationshipMatrix {
  const matrix = new RelationshipMatrix({ separateSiblings: true, separationWindows: 30, windowHours: 24 });
  for (let p = 0; p < partitions; p++) {
    const peers = Array.from({ length: N }, (_, i) => peerOf(p + 71 * i));
    const dependencies = p % 2 === 1 ? [{ kind: 'sibling-columns' as const, partition: idOf(p - 1) }] : [];
    matrix.add({ id: idOf(p), k: K, n: N, peers, dependencies });
  }
  return matrix;
}

/** Moves of one shard in a hundred, so that former holders count too. */
function move(matrix: RelationshipMatrix, partitions: number): number {
  const moves = Math.floor((partitions * N) / 100);
  for (let p = 0; p < moves; p++) matrix.move(idOf(p), p % N, peerOf(p + 71 * (p % N)), peerOf(p + 1), NOW);
  return moves;
}

/** Ids to ask about, made beforehand: making one takes longer than most answers. Each comes with its place. */
function perSecond(partitions: number, ask: (partition: PartitionId, p: number) => unknown): number {
  const asked = [...scattered(DIFFERENT, partitions)].map((p) => ({ p, id: flat(idOf(p)) }));
  const start = process.cpuUsage();
  for (let i = 0; i < LOOKUPS; i++) {
    const { p, id } = asked[i % DIFFERENT]!;
    ask(id, p);
  }
  return rounded(LOOKUPS / seconds(start));
}

/** As a string from elsewhere would be, not as a tree of the parts that it was put together from. */
const flat = (id: PartitionId): PartitionId => Buffer.from(id).toString('latin1') as PartitionId;

/** Of CPU: the matrix does nothing but compute, and other work on the machine should not count. */
const seconds = (start: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
};

function main(): void {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      shards: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const partitions = Math.ceil(Number(values.shards ?? (values.quick ? 1e6 : 1e8)) / N);
  const before = process.memoryUsage();
  const start = process.cpuUsage();
  const matrix = build(partitions);
  const built = seconds(start);
  const startOfMoves = process.cpuUsage();
  const moves = move(matrix, partitions);
  const moved = seconds(startOfMoves);
  const after = process.memoryUsage();

  const params = { shards: matrix.shards, partitions, peers: PEERS };
  const result = (name: string, value: number, unit: string): Result => ({
    name,
    params,
    value,
    unit,
    ratios: {},
  });
  const most = matrixBytesAtMost({
    partitions,
    shards: matrix.shards,
    dependencies: Math.floor(partitions / 2),
    otherHolders: moves,
  });
  const each = (bytes: number) => rounded(bytes / matrix.shards);
  const results = [
    result('counted by the matrix', each(matrix.bytes), 'bytes a shard'),
    result('stated bound', each(most), 'bytes a shard'),
    result('array buffers, counted by V8', each(after.arrayBuffers - before.arrayBuffers), 'bytes a shard'),
    result('heap beside them', rounded((after.heapUsed - before.heapUsed) / 2 ** 20), 'MiB'),
    result('peak of the process', rounded((processFacts(process.pid)?.peakRssBytes ?? 0) / 2 ** 20), 'MiB'),
    result('build', rounded(built), 's of CPU'),
    result('shards added', rounded(matrix.shards / built), 'a second of CPU'),
    result('shards moved', rounded(moves / moved), 'a second of CPU'),
    result('relation of two shards', relations(matrix, partitions), 'a second of CPU'),
    result('barred peers of a shard', barred(matrix, partitions), 'a second of CPU'),
    result('holders of a partition', holdings(matrix, partitions), 'a second of CPU'),
  ];
  print({ bench: 'relations', machine: machine(), results }, values.json);
}

const relations = (matrix: RelationshipMatrix, partitions: number): number => {
  const other = idOf(1);
  return perSecond(partitions, (partition, p) =>
    matrix.relation({ partition, index: p % N }, { partition: other, index: 3 }),
  );
};

const barred = (matrix: RelationshipMatrix, partitions: number): number =>
  perSecond(partitions, (partition, p) => matrix.barred(partition, p % N, NOW));

const holdings = (matrix: RelationshipMatrix, partitions: number): number =>
  perSecond(partitions, (partition) => matrix.holdings(partition));

main();

import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Result, rounded } from '../harness/report.ts';
import { byteStream } from './byte-stream.ts';
import { HoldfastLab, SWARM } from './holdfast.ts';

const MiB = 2 ** 20;
const SEED = 30;
/** The promise: however large the source, no more than this. */
export const MEMORY_LIMIT_MIB = 512;

/** Sends a long stream through backup and restore, and looks at the most memory that either ever had. */
export async function memoryResults(
  directory: string,
  bytes: number,
  tell: (line: string) => void,
): Promise<Result[]> {
  const lab = await HoldfastLab.up(directory);
  try {
    await lab.run('source', 'add', 'stream', 'stdin');
    const sent = createHash('sha256');
    const backup = await lab.measured(['backup', 'stream', '--quiet'], {
      stdin: 'pipe',
      attend: (child) => pipeline(Readable.from(hashed(byteStream(bytes, SEED), sent)), child.stdin!),
    });
    tell(`backup of the stream: ${backup.seconds.toFixed(1)} s`);
    const received = createHash('sha256');
    const restore = await lab.measured(['restore', 'latest', '--to', '-', '--quiet'], {
      attend: (child) => pipeline(child.stdout!, received),
    });
    tell(`restore of the stream: ${restore.seconds.toFixed(1)} s`);
    if (sent.digest('hex') !== received.digest('hex')) throw new Error('The restored stream differs.');
    const params = { source: 'stream', sourceMiB: bytes / MiB, ...SWARM, runs: 1 };
    return (['backup', 'restore'] as const).flatMap((operation) => {
      const cost = operation === 'backup' ? backup : restore;
      const result = (name: string, value: number, unit: string): Result => {
        return { name: `stream ${operation}${name}`, params, value: rounded(value), unit, ratios: {} };
      };
      return [
        result('', bytes / MiB / cost.seconds, 'MiB/s'),
        result(', owner CPU', cost.cpuSeconds, 's'),
        result(', peers CPU', cost.serverCpuSeconds, 's'),
        result(', owner peak RSS', cost.peakRssBytes / MiB, 'MiB'),
        result(', peer peak RSS', cost.serverPeakRssBytes / MiB, 'MiB'),
      ];
    });
  } finally {
    await lab.down();
  }
}

export const withinMemory = (results: readonly Result[]): boolean =>
  results.every(({ name, value }) => !name.endsWith('owner peak RSS') || value <= MEMORY_LIMIT_MIB);

function* hashed(blocks: Iterable<Buffer>, hash: ReturnType<typeof createHash>): Generator<Buffer> {
  for (const block of blocks) {
    hash.update(block);
    yield block;
  }
}

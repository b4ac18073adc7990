import { readFile } from 'node:fs/promises';
import { zstdCompressSync } from 'node:zlib';
import type { ShardOnDisk } from './witness.ts';

const SAMPLE = 64;

/** The share that a compressor can take off some of the shards: of anything but noise it would be more than nothing. */
export async function compressibility(shards: readonly ShardOnDisk[]): Promise<number> {
  let [whole, packed] = [0, 0];
  const step = Math.max(1, Math.floor(shards.length / SAMPLE));
  for (let i = 0; i < shards.length; i += step) {
    const bytes = await readFile(shards[i]!.path);
    whole += bytes.length;
    packed += Math.min(bytes.length, zstdCompressSync(bytes).length);
  }
  return whole === 0 ? 0 : 1 - packed / whole;
}

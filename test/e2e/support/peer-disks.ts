import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { blake3 } from '@napi-rs/blake-hash';
import type { LabPeer } from './lab.ts';

/** One file in a peer's directory of shards. */
export interface StoredFile {
  readonly peer: number;
  readonly operator: string;
  readonly path: string;
  /** From the file's name: ID.HASH.OWNER.BYTES. */
  readonly shard: string;
  readonly hash: string;
  readonly bytes: number;
}

const NAME = /^([0-9a-f]{64})\.([0-9a-f]{64})\.12D3KooW[1-9A-HJ-NP-Za-km-z]{44}\.(\d+)$/;

/** Everything that the peers would serve. A file whose name is no shard's is an error: nothing else belongs there. */
export async function storedFiles(peers: readonly LabPeer[]): Promise<StoredFile[]> {
  const found: StoredFile[] = [];
  for (const { number, operator, directory } of peers) {
    const shards = join(directory, 'data', 'shards');
    const entries = await readdir(shards, { recursive: true, withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      if (entry.isDirectory()) continue;
      const path = join(entry.parentPath, entry.name);
      const match = NAME.exec(entry.name);
      if (!match) throw new Error(`${path} is among the shards but is none.`);
      found.push({
        peer: number,
        operator,
        path,
        shard: match[1]!,
        hash: match[2]!,
        bytes: Number(match[3]),
      });
    }
  }
  return found;
}

/** How many files the peers have among their shards, quickly. */
export async function countShards(peers: readonly LabPeer[]): Promise<number> {
  let count = 0;
  for (const { directory } of peers) {
    const names = await readdir(join(directory, 'data', 'shards'), { recursive: true }).catch(() => []);
    count += names.filter((name) => name.length > 64).length;
  }
  return count;
}

/** Those that are not, byte for byte, what their name promises. `known` remembers what was found whole before. */
export async function damagedFiles(
  files: readonly StoredFile[],
  known = new Set<string>(),
): Promise<StoredFile[]> {
  const damaged: StoredFile[] = [];
  for (const file of files) {
    const { mtimeMs } = await stat(file.path);
    const key = `${file.path} ${mtimeMs}`;
    if (known.has(key)) continue;
    const bytes = await readFile(file.path);
    if (bytes.length === file.bytes && blake3(bytes).toString('hex') === file.hash) known.add(key);
    else damaged.push(file);
  }
  return damaged;
}

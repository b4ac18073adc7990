import { randomInt } from 'node:crypto';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError, SIZE_CLASSES } from '@holdfast/contracts';
import type { LabPeer } from './state.ts';

const FLIPPED_BYTES = 16;

/** Flips bytes in the middle of `count` of the peer's stored shards, chosen at random, as a failing disk would. */
export async function corruptShards(peer: LabPeer, count: number): Promise<string[]> {
  const files = await shardFiles(peer.directory);
  if (files.length < count) {
    throw new HoldfastError('NOT_FOUND', `${peer.name} stores ${files.length} shards, not ${count}.`, {
      hint: 'Ask for fewer, or back something up first.',
      details: { stored: files.length },
    });
  }
  const chosen: string[] = [];
  for (let i = 0; i < count; i++) chosen.push(...files.splice(randomInt(files.length), 1));
  for (const path of chosen) await flip(path);
  return chosen;
}

async function flip(path: string): Promise<void> {
  await using file = await open(path, 'r+');
  const { size, atime, mtime } = await file.stat();
  const bytes = Buffer.alloc(FLIPPED_BYTES);
  const offset = Math.floor(size / 2);
  await file.read(bytes, 0, bytes.length, offset);
  await file.write(
    bytes.map((byte) => byte ^ 0xff),
    0,
    bytes.length,
    offset,
  );
  // Rot leaves no trace in the file's times, and the store keeps the lease there.
  await file.utimes(atime, mtime);
}

/** A shard on disk is exactly a size class long, and nothing else in a peer's directory is. */
async function shardFiles(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const { size } = await stat(path);
    if (SIZE_CLASSES.some((sizeClass) => sizeClass === size)) found.push(path);
  }
  return found.sort();
}

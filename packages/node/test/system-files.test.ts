import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { systemFiles } from '../src/store/store-files.ts';

/**
 * The power cuts of other tests happen to a model of a file system, which is told what was synced. That the real calls
 * are made, and in the order that makes them worth something, is seen here.
 */
let directory: string;
let calls: string[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-files-'));
  calls = [];
  await using probe = await open(directory, 'r');
  const methods = Object.getPrototypeOf(probe) as FileHandle;
  for (const name of ['write', 'utimes', 'sync'] as const) {
    const original = methods[name] as (...given: unknown[]) => Promise<unknown>;
    vi.spyOn(methods, name as 'sync').mockImplementation(async function (
      this: FileHandle,
      ...given: unknown[]
    ) {
      const result = await original.apply(this, given);
      calls.push(name);
      return result as undefined;
    });
  }
});

afterEach(async () => {
  vi.restoreAllMocks();
  await rm(directory, { recursive: true });
});

it('a new file is synced after its bytes and its time, before it counts as written', async () => {
  await systemFiles.create(join(directory, 'shard'), Uint8Array.of(1, 2, 3), 1_000_000);
  expect(calls).toEqual(['write', 'utimes', 'sync']);
});

it('a changed time is synced', async () => {
  await systemFiles.create(join(directory, 'shard'), Uint8Array.of(1), 1_000_000);
  calls = [];
  await systemFiles.touch(join(directory, 'shard'), 2_000_000);
  expect(calls).toEqual(['utimes', 'sync']);
});

it('a directory is synced', async () => {
  await systemFiles.syncDirectory(directory);
  expect(calls).toEqual(['sync']);
});

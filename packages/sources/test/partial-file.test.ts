import { mkdtemp, open, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { PartialFile } from '../src/file/partial-file.ts';

const MiB = 2 ** 20;
let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-partial-'));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(directory, { recursive: true, force: true });
});

/** More than is written between two syncs, by many writers at once and from the end to the start. */
async function write(file: PartialFile): Promise<void> {
  const writes = Array.from({ length: 40 }, (_, i) => file.write((39 - i) * MiB, Buffer.alloc(MiB, 39 - i)));
  await Promise.all(writes);
}

it('holds what was written from all sides, under its name only once published', async () => {
  const target = join(directory, 'file');
  const file = await PartialFile.create(target);
  await write(file);
  await file.sync();
  await expect(stat(target)).rejects.toThrow('ENOENT');
  await file.publish();
  const content = await readFile(target);
  expect(content.length).toBe(40 * MiB);
  for (let i = 0; i < 40; i++)
    expect(content.subarray(i * MiB, (i + 1) * MiB).every((byte) => byte === i)).toBe(true);
});

/** The system tells of a page that it could not write once, to whichever sync comes first. */
it('does not forget that a sync beside the writing failed', async () => {
  const probe = await open(directory);
  vi.spyOn(Object.getPrototypeOf(probe), 'datasync').mockRejectedValueOnce(
    Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' }),
  );
  await probe.close();
  const file = await PartialFile.create(join(directory, 'file'));
  await write(file);
  await expect(file.sync()).rejects.toThrow(expect.objectContaining({ code: 'TARGET_UNWRITABLE' }));
  await file.discard();
  await expect(stat(join(directory, 'file'))).rejects.toThrow('ENOENT');
});

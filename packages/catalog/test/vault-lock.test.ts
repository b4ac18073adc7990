import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { lockVault } from '@holdfast/catalog';
import { HoldfastError } from '@holdfast/contracts';
import { expect, test } from 'vitest';
import { temporaryDirectory } from './temporary.ts';

const lockError = (directory: string): HoldfastError | null => {
  try {
    lockVault(directory).release();
    return null;
  } catch (error) {
    if (error instanceof HoldfastError) return error;
    throw error;
  }
};

async function lockInChild(directory: string): Promise<ChildProcess> {
  const script = join(import.meta.dirname, 'lock-child.ts');
  const child = spawn(process.execPath, ['--expose-gc', script, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout!, 'data');
  return child;
}

test('one holder at a time, in this process too', () => {
  const directory = temporaryDirectory();
  const lock = lockVault(directory);
  const error = lockError(directory);
  expect(error?.code).toBe('BUSY');
  expect(error?.details).toEqual({ pid: process.pid });
  lock.release();
  lock.release();
  expect(lockError(directory)).toBeNull();
  expect(lockError(join(directory, 'missing'))?.code).toBe('NOT_FOUND');
});

test('another process is named, and its death, however sudden, frees the lock', async () => {
  const directory = temporaryDirectory();
  const child = await lockInChild(directory);
  try {
    const error = lockError(directory);
    expect(error?.code).toBe('BUSY');
    expect(error?.message).toContain(`process ${child.pid}`);
    expect(error?.details).toEqual({ pid: child.pid });
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  expect(lockError(directory)).toBeNull();
});

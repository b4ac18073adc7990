import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { HoldfastError } from '@holdfast/contracts';
import { factLine, parseFactLine, type SnapshotFacts } from './fact-line.ts';

/**
 * What is known of a source's physical snapshots, so that nobody has to fetch a manifest for each. Lines are only ever added. What is
 * missing is read from the manifests; what the catalog does not know means nothing.
 */
export async function readFacts(path: string): Promise<Map<string, SnapshotFacts>> {
  const text = await readFile(path, 'utf8').catch(ifAbsent(''));
  const lines = text.split('\n').map(parseFactLine);
  return new Map(lines.filter((facts) => facts !== null).map((facts) => [facts.id, facts]));
}

/** Durable when resolved. TARGET_UNWRITABLE. */
export async function appendFacts(path: string, added: readonly SnapshotFacts[]): Promise<void> {
  if (added.length === 0) return;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await using file = await open(path, 'a+', 0o600);
    // Whoever was killed may have left half a line behind.
    const begin = (await endsInLine(file)) ? '' : '\n';
    await file.appendFile(begin + added.map(factLine).join(''));
    await file.sync();
  } catch (error) {
    throw HoldfastError.from(error, 'TARGET_UNWRITABLE', `${path} cannot be written.`, {
      hint: 'Check the disk, and the permissions of the vault.',
    });
  }
}

async function endsInLine(file: Awaited<ReturnType<typeof open>>): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return true;
  const last = Buffer.alloc(1);
  await file.read(last, 0, 1, size - 1);
  return last[0] === 0x0a;
}

export const ifAbsent =
  <T>(instead: T) =>
  (error: unknown): T => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return instead;
    throw error;
  };

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { Attachments } from '../../tools/demo/chat-attachments.ts';
import { logText, word } from '../../tools/demo/chat-text.ts';
import { SeededRandom } from '../../tools/demo/random.ts';

const KiB = 1024;
/** 1 GiB of 35 000 files. */
export const MEAN_FILE_BYTES = (1024 * 1024 * KiB) / 35_000;
const PER_DIRECTORY = 40;
const MEDIA = { share: 0.15, meanBytes: 100 * KiB };

export interface FileTree {
  readonly root: string;
  /** Relative to the root. */
  readonly files: string[];
  readonly bytes: number;
}

/**
 * Somebody's documents: many small texts, fewer and larger pictures and archives, which make up about half of the
 * bytes; in directories of some dozens. The same for the same seed.
 */
export async function makeFileTree(root: string, bytes: number, seed: number): Promise<FileTree> {
  const random = new SeededRandom(seed);
  const media = new Attachments(random);
  const text = Buffer.from(logText(random, 40_000));
  const wanted = Math.round(bytes / MEAN_FILE_BYTES);
  const files: string[] = [];
  let left = bytes;
  let directory = '';
  for (let i = 0; i < wanted; i++) {
    if (i % PER_DIRECTORY === 0) {
      directory = join(word(random), `${i / PER_DIRECTORY}`);
      mkdirSync(join(root, directory), { recursive: true });
    }
    const { name, content } = random.chance(MEDIA.share)
      ? media.next()
      : note(random, text, left / (wanted - i));
    const path = join(directory, `${i}-${name}`);
    writeFileSync(join(root, path), content);
    files.push(path);
    left = Math.max(0, left - content.length);
    if (i % 500 === 0) await breathe();
  }
  return { root, files, bytes: bytes - left };
}

/** A piece of the long text, of a size that keeps the tree on its course of `mean` bytes a file, and a line of its own. */
function note(random: SeededRandom, text: Buffer, mean: number): { name: string; content: Buffer } {
  const typical = Math.max(0, (mean - MEDIA.share * MEDIA.meanBytes) / (1 - MEDIA.share));
  const length = Math.min(
    text.length,
    Math.floor(typical / 5) + random.skewedBelow(Math.ceil(typical * 3.2)),
  );
  const from = random.below(text.length - length + 1);
  const own = Buffer.from(`${word(random)} ${random.next()}\n`);
  return {
    name: random.pick(['txt', 'md', 'csv', 'ts', 'log']),
    content: Buffer.concat([own, text.subarray(from, from + length)]),
  };
}

/** Changes `fraction` of the files: most are edited in the middle, some are new, some go. */
export async function editFileTree(tree: FileTree, fraction: number, seed: number): Promise<void> {
  const random = new SeededRandom(seed);
  const changes = Math.ceil(tree.files.length * fraction);
  for (let i = 0; i < changes; i++) {
    const path = join(tree.root, random.pick(tree.files));
    const kind = random.below(10);
    if (kind === 0) rmSync(path, { force: true });
    else if (kind === 1) writeFileSync(join(dirname(path), `new-${i}.txt`), logText(random, 100));
    else await edit(path, random);
  }
}

async function edit(path: string, random: SeededRandom): Promise<void> {
  const content = await readFile(path).catch(() => null);
  if (content === null) return;
  const at = random.below(content.length + 1);
  const inserted = Buffer.from(logText(random, 2));
  writeFileSync(path, Buffer.concat([content.subarray(0, at), inserted, content.subarray(at)]));
}

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { displayPath } from '@holdfast/contracts';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const SLASH = Buffer.from('/');
const at = (directory: Buffer, name: Buffer): Buffer => Buffer.concat([directory, SLASH, name]);

/** Content by displayed path; null for what has none. In order. */
export function readTree(root: string): Map<string, Uint8Array | null> {
  const found = new Map<string, Uint8Array | null>();
  const visit = (directory: Buffer, prefix: Buffer): void => {
    for (const name of readdirSync(directory, { encoding: 'buffer' }).sort(Buffer.compare)) {
      const stats = lstatSync(at(directory, name));
      const path = prefix.length === 0 ? name : at(prefix, name);
      found.set(displayPath(path), stats.isFile() ? readFileSync(at(directory, name)) : null);
      if (stats.isDirectory()) visit(at(directory, name), path);
    }
  };
  visit(Buffer.from(root), Buffer.alloc(0));
  return found;
}

/**
 * Everything a restore must bring back, found without our code: one line per entry by GNU find (kind, mode, owner, size,
 * link count, seconds of change, target, name in a reversible spelling), grouped links, and contents.
 */
export function treeFacts(root: string): {
  entries: string[];
  links: string[];
  contents: Map<string, string>;
} {
  const format = '%y %m %U %G %s %Ts %P\\0%l\\0\\0';
  const raw = execFileSync('find', [root, '-printf', format], { encoding: 'latin1', maxBuffer: 1 << 28 });
  // Sizes of directories are the file system's own affair.
  const entries = raw.split('\0\0').map((line) => line.replace(/^(d \S+ \S+ \S+) \d+/, '$1'));
  const inodes = execFileSync('find', [root, '-type', 'f', '-links', '+1', '-printf', '%i %P\\0'], {
    encoding: 'latin1',
  });
  const groups = new Map<string, string[]>();
  for (const line of inodes.split('\0').filter(Boolean)) {
    const space = line.indexOf(' ');
    const inode = line.slice(0, space);
    groups.set(inode, [...(groups.get(inode) ?? []), line.slice(space + 1)]);
  }
  const contents = new Map<string, string>();
  for (const [path, content] of readTree(root)) if (content !== null) contents.set(path, sha256(content));
  const links = [...groups.values()].map((group) => group.sort().join('\0')).sort();
  return { entries: entries.sort(), links, contents };
}

/** Bytes on disk, which tells whether holes are holes. */
export const allocated = (path: Buffer | string): number => lstatSync(path).blocks * 512;

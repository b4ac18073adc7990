import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { displayPath, type SourceObject, type SourceSnapshot } from '@holdfast/contracts';
import { readWhole } from '@holdfast/testing/copy-snapshot';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type TreeSourceOptions, treeSource } from '../src/index.ts';

let root = '';
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'holdfast-source-')));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const at = (...names: string[]): string => join(root, ...names);
const write = (path: string, text = path): void => writeFileSync(at(path), text);

async function list(
  options: Partial<TreeSourceOptions> = {},
): Promise<{ snapshot: SourceSnapshot; objects: SourceObject[] }> {
  const snapshot = await treeSource({ path: root, ...options }).open();
  const objects: SourceObject[] = [];
  for await (const object of snapshot.objects()) objects.push(object);
  return { snapshot, objects };
}
const names = (objects: SourceObject[]): string[] => objects.map(({ path }) => displayPath(path));
const bytes = (length: number): Uint8Array => new Uint8Array(new SharedArrayBuffer(length));

test('a slash sorts before every other byte', async () => {
  for (const directory of ['a', 'a-b']) mkdirSync(at(directory));
  for (const file of ['a/z', 'a-b/a', 'a.txt', 'a b']) write(file);
  expect(names((await list()).objects)).toEqual(['a', 'a/z', 'a b', 'a-b', 'a-b/a', 'a.txt']);
});

test('excluded directories are not entered', async () => {
  for (const directory of ['node_modules', 'src', 'src/node_modules']) mkdirSync(at(directory));
  for (const file of ['node_modules/x', 'src/main.ts', 'src/node_modules/y', 'src/a.log']) write(file);
  const { objects } = await list({ exclude: ['node_modules/', '*.log'] });
  expect(names(objects)).toEqual(['src', 'src/main.ts']);
});

test('of a marked cache only the mark is kept, if asked for', async () => {
  mkdirSync(at('cache'));
  write('cache/big');
  write('cache/CACHEDIR.TAG', 'Signature: 8a477f597d28d172789f06886806bc55\n# more');
  expect(names((await list({ excludeCaches: true })).objects)).toEqual(['cache', 'cache/CACHEDIR.TAG']);
  expect(names((await list()).objects)).toEqual(['cache', 'cache/CACHEDIR.TAG', 'cache/big']);
});

test('the first of several hard links has the content', async () => {
  write('b');
  linkSync(at('b'), at('c'));
  linkSync(at('b'), at('a'));
  const { objects } = await list();
  expect(objects.map(({ kind }) => kind)).toEqual(['file', 'hardlink', 'hardlink']);
  expect(objects[0]?.attributes.links).toBe(3);
  expect(objects[2]?.attributes.target).toEqual(Buffer.from('a'));
});

test('links are not followed, not even in circles', async () => {
  symlinkSync('.', at('loop'));
  symlinkSync('/etc', at('out'));
  const { objects } = await list();
  expect(objects.map(({ kind }) => kind)).toEqual(['symlink', 'symlink']);
});

test('sockets are passed over, devices are a problem', async () => {
  const server = createServer().listen(at('socket'));
  await new Promise((resolve) => server.once('listening', resolve));
  if (process.getuid?.() === 0) execFileSync('mknod', [at('device'), 'c', '1', '3']);
  const { snapshot, objects } = await list();
  expect(objects).toEqual([]);
  expect(snapshot.problems.map(({ path }) => displayPath(path))).toEqual(
    process.getuid?.() === 0 ? ['device'] : [],
  );
  server.close();
});

test('a mount point is not entered when it is another file system', async () => {
  mkdirSync(at('here'));
  const objects = names((await list({ oneFileSystem: true })).objects);
  expect(objects).toEqual(['here']);
  const system = await treeSource({ path: '/', oneFileSystem: true, exclude: ['/*', '!/proc'] }).test();
  expect(system.objects).toBe(1);
});

describe('while files change', () => {
  test('one that vanished cannot be opened', async () => {
    write('gone');
    const { objects } = await list();
    rmSync(at('gone'));
    await expect(objects[0]!.open()).rejects.toThrow(expect.objectContaining({ code: 'SOURCE_UNREADABLE' }));
  });

  test('a pipe in its place neither blocks nor passes for a file', async () => {
    write('file');
    const { objects } = await list();
    rmSync(at('file'));
    execFileSync('mkfifo', [at('file')]);
    await expect(objects[0]!.open()).rejects.toThrow(expect.objectContaining({ code: 'SOURCE_UNREADABLE' }));
  });

  test('a link in its place is not followed', async () => {
    write('file');
    const { objects } = await list();
    rmSync(at('file'));
    symlinkSync('/etc/hostname', at('file'));
    await expect(objects[0]!.open()).rejects.toThrow(expect.objectContaining({ code: 'SOURCE_UNREADABLE' }));
  });

  test.each([
    ['grows', (path: string) => appendFileSync(path, 'more')],
    ['shrinks', (path: string) => writeFileSync(path, '1')],
    ['is written in place', (path: string) => writeFileSync(path, 'x'.repeat(300_000))],
  ])('one that %s while it is read is a problem, and keeps what was read', async (_, change) => {
    write('file', 'y'.repeat(300_000));
    utimesSync(at('file'), 1, 1);
    const { snapshot, objects } = await list();
    const reader = await objects[0]!.open();
    await reader.read(bytes(1000));
    change(at('file'));
    const rest = await readWhole(reader, bytes(100_000));
    expect(rest.length).toBeLessThanOrEqual(299_000);
    await reader.close();
    expect(snapshot.problems.map(({ path }) => displayPath(path))).toEqual(['file']);
  });

  test('one that was replaced before it is opened is read as it is now', async () => {
    write('file', 'old');
    const { snapshot, objects } = await list();
    write('new', 'newer');
    renameSync(at('new'), at('file'));
    const reader = await objects[0]!.open();
    expect(Buffer.from(await readWhole(reader, bytes(100))).toString()).toBe('newer');
    await reader.close();
    expect(snapshot.problems).toEqual([]);
  });

  test('a directory that went away is a problem', async () => {
    mkdirSync(at('directory'));
    write('directory/file');
    const snapshot = await treeSource({ path: root }).open();
    const seen: string[] = [];
    for await (const object of snapshot.objects()) {
      seen.push(displayPath(object.path));
      rmSync(at('directory'), { recursive: true, force: true });
    }
    expect(seen).toEqual(['directory']);
    expect(snapshot.problems.map(({ path }) => displayPath(path))).toEqual(['directory']);
  });

  test('links to what could not be opened are listed with their own content', async () => {
    write('a');
    linkSync(at('a'), at('b'));
    const snapshot = await treeSource({ path: root }).open();
    const kinds: string[] = [];
    for await (const object of snapshot.objects()) {
      kinds.push(object.kind);
      if (displayPath(object.path) === 'a') {
        rmSync(at('a'));
        await expect(object.open()).rejects.toThrow();
      }
    }
    expect(kinds).toEqual(['file', 'file']);
  });
});

describe('fingerprints', () => {
  test('are withheld while the clock could not tell a change', async () => {
    write('file');
    expect((await list()).objects[0]?.fingerprint).toBeNull();
  });

  test('differ when the content may differ', async () => {
    write('file', 'one');
    const wait = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 2100));
    await wait();
    const before = (await list()).objects[0]?.fingerprint;
    expect(before).toEqual(expect.any(String));
    expect((await list()).objects[0]?.fingerprint).toBe(before);
    // Same length, and a time set back: the time of the last change of the inode still tells.
    write('file', 'two');
    utimesSync(at('file'), 1, 1);
    await wait();
    expect((await list()).objects[0]?.fingerprint).not.toBe(before);
  });
});

test.each(['absent', 'file'])('what is %s is not a tree', async (name) => {
  write('file');
  const source = treeSource({ path: at(name) });
  const refused = expect.objectContaining({ code: 'SOURCE_UNREADABLE', hint: expect.any(String) });
  await expect(source.open()).rejects.toThrow(refused);
  await expect(source.test()).rejects.toThrow(refused);
});

test.runIf(process.getuid?.() === 0)('what may not be read is left out, and said', async () => {
  mkdirSync(at('private'), { mode: 0o700 });
  writeFileSync(at('secret'), '', { mode: 0o600 });
  chmodSync(root, 0o755);
  process.seteuid?.(65534);
  try {
    const { snapshot, objects } = await list();
    expect(names(objects)).toEqual(['private', 'secret']);
    expect(snapshot.problems.map(({ path }) => displayPath(path))).toEqual(['private']);
    await expect(objects[1]!.open()).rejects.toThrow(expect.objectContaining({ code: 'SOURCE_UNREADABLE' }));
  } finally {
    process.seteuid?.(0);
  }
});

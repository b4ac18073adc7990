import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Attributes, pathFromText, type Sink } from '@holdfast/contracts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { treeSink } from '../src/index.ts';

let root = '';
let target = '';
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'holdfast-sink-')));
  target = join(root, 'target');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

async function begun(options: { overwrite?: boolean; path?: string } = {}): Promise<Sink> {
  const sink = treeSink({ path: options.path ?? target, overwrite: options.overwrite ?? false });
  await sink.begin({ attributes: {} });
  return sink;
}

function create(
  sink: Sink,
  path: string,
  kind: string,
  attributes: Attributes = {},
): ReturnType<Sink['create']> {
  return sink.create({ path: pathFromText(path), kind, attributes, size: kind === 'file' ? 0 : null });
}

async function file(sink: Sink, path: string, attributes: Attributes = {}): Promise<void> {
  const writer = await create(sink, path, 'file', attributes);
  await writer?.write(0, Buffer.from(path));
  await writer?.complete(path.length);
}

const coded = (code: string): unknown => expect.objectContaining({ code });

describe('what a hostile snapshot might try', () => {
  test('an entry below a link', async () => {
    const sink = await begun();
    await create(sink, 'a', 'symlink', { target: Buffer.from('/tmp') });
    await expect(create(sink, 'a/escaped', 'file')).rejects.toThrow(coded('FORMAT_INVALID'));
    await sink.abort();
  });

  test('an entry below a file, below nothing, or out of order', async () => {
    const sink = await begun();
    await file(sink, 'b');
    await expect(create(sink, 'b/c', 'file')).rejects.toThrow(coded('FORMAT_INVALID'));
    await expect(create(sink, 'x/c', 'file')).rejects.toThrow(coded('FORMAT_INVALID'));
    await expect(create(sink, 'a', 'file')).rejects.toThrow(coded('FORMAT_INVALID'));
    await sink.abort();
  });

  test('the same path twice, first as a directory and then as a link', async () => {
    const sink = await begun();
    await create(sink, 'd', 'directory');
    await expect(create(sink, 'd', 'symlink', { target: Buffer.from('/tmp') })).rejects.toThrow(
      coded('FORMAT_INVALID'),
    );
    await sink.abort();
  });

  test('a hard link to a file outside, through a link', async () => {
    const outside = join(root, 'outside');
    writeFileSync(outside, 'secret');
    const sink = await begun();
    await create(sink, 'a', 'symlink', { target: Buffer.from(root) });
    await create(sink, 'b', 'hardlink', { target: Buffer.from('a/outside') });
    await expect(create(sink, 'c', 'hardlink', { target: Buffer.from('../outside') })).rejects.toThrow(
      coded('FORMAT_INVALID'),
    );
    await sink.finish();
    expect(readdirSync(target)).toEqual(['a']);
    expect(statSync(outside).nlink).toBe(1);
  });

  test.each<[string, string, Attributes]>([
    ['file', 'a mode that is text', { mode: 'rwx' }],
    ['file', 'a mode with a file type', { mode: 0o100644 }],
    ['file', 'an owner below zero', { uid: -1, gid: 0 }],
    ['file', 'a time that is text', { mtime: 'now' }],
    ['file', 'a time beyond all clocks', { mtime: 2n ** 80n }],
    ['file', 'a time that is no number', { mtime: Number.NaN }],
    ['symlink', 'no target', {}],
    ['symlink', 'a target with a zero byte', { target: Buffer.from('a\0b') }],
    ['symlink', 'a target that is text', { target: 'a' }],
    ['hardlink', 'an empty target', { target: new Uint8Array(0) }],
    ['database', 'a kind that does not belong', {}],
    ['device', 'a kind that cannot be made', {}],
  ])('a %s with %s', async (kind, _, attributes) => {
    const sink = await begun();
    await expect(create(sink, 'x', kind, attributes)).rejects.toThrow(coded('FORMAT_INVALID'));
    await sink.abort();
    expect(readdirSync(root)).toEqual([]);
  });

  test('attributes of the root that make no sense', async () => {
    const sink = treeSink({ path: target, overwrite: false });
    await expect(sink.begin({ attributes: { mode: 'x' } })).rejects.toThrow(coded('FORMAT_INVALID'));
  });
});

describe('targets', () => {
  test('an empty directory is filled', async () => {
    mkdirSync(target);
    const sink = await begun();
    await file(sink, 'a');
    await sink.finish();
    expect(readdirSync(root)).toEqual(['target']);
    expect(readFileSync(join(target, 'a'), 'utf8')).toBe('a');
  });

  test('one that fills up during the restore is refused at the end, and kept', async () => {
    mkdirSync(target);
    const sink = await begun();
    writeFileSync(join(target, 'mine'), '');
    await expect(sink.finish()).rejects.toThrow(coded('ALREADY_EXISTS'));
    await sink.abort();
    expect(readdirSync(root)).toEqual(['target']);
    expect(readdirSync(target)).toEqual(['mine']);
  });

  test('a file, or nothing above the target', async () => {
    writeFileSync(target, '');
    await expect(begun({ overwrite: true })).rejects.toThrow(coded('TARGET_UNWRITABLE'));
    await expect(begun({ path: join(root, 'no', 'where') })).rejects.toThrow(coded('TARGET_UNWRITABLE'));
  });

  test('a link to a directory stands for the directory', async () => {
    mkdirSync(join(root, 'real'));
    symlinkSync('real', target);
    const sink = await begun();
    await file(sink, 'a');
    await sink.finish();
    expect(lstatSync(target).isSymbolicLink()).toBe(true);
    expect(readdirSync(join(root, 'real'))).toEqual(['a']);
  });

  test('the old directory is put back when a replacing run was stopped half-way', async () => {
    mkdirSync(`${target}.old.holdfast-partial`);
    writeFileSync(join(`${target}.old.holdfast-partial`, 'old'), '');
    const sink = await begun({ overwrite: true });
    expect(readdirSync(target)).toEqual(['old']);
    await file(sink, 'new');
    await sink.finish();
    expect(readdirSync(root)).toEqual(['target']);
    expect(readdirSync(target)).toEqual(['new']);
  });

  test('overwriting replaces the directory as a whole', async () => {
    mkdirSync(join(target, 'old'), { recursive: true });
    const sink = await begun({ overwrite: true });
    await file(sink, 'new');
    await sink.finish();
    expect(readdirSync(target)).toEqual(['new']);
    expect(existsSync(`${target}.old.holdfast-partial`)).toBe(false);
  });
});

test('nobody else can look into it before it is complete', async () => {
  const sink = await begun();
  expect(statSync(`${target}.holdfast-partial`).mode & 0o777).toBe(0o700);
  await sink.abort();
});

test('a directory keeps its time and its mode though entries are made in it', async () => {
  const sink = await begun();
  await create(sink, 'd', 'directory', { mode: 0o555, mtime: 1_000_000_000n * 1_000_000_000n });
  await file(sink, 'd/f', { mode: 0o640, mtime: 1_234_567_890_123_456_789n });
  await sink.finish();
  expect(statSync(join(target, 'd')).mode & 0o7777).toBe(0o555);
  expect(statSync(join(target, 'd')).mtimeMs).toBe(1e12);
  const { mtimeNs } = statSync(join(target, 'd', 'f'), { bigint: true });
  expect(Math.abs(Number(mtimeNs - 1_234_567_890_123_456_789n))).toBeLessThan(1000);
});

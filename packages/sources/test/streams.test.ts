import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ContentReader, pathFromText, type Sink } from '@holdfast/contracts';
import { describe, expect, test } from 'vitest';
import { fileSink, sinkFor, streamSink, streamSource, treeSink } from '../src/index.ts';

const coded = (code: string): unknown => expect.objectContaining({ code });

async function readerOf(stream: Readable): Promise<ContentReader> {
  const snapshot = await streamSource({ stream, name: 'input' }).open();
  for await (const object of snapshot.objects()) return object.open();
  throw new Error('no object');
}

describe('reading a stream', () => {
  test('holds its writer back', async () => {
    let produced = 0;
    const stream = new Readable({
      highWaterMark: 1000,
      read() {
        produced += 1000;
        this.push(Buffer.alloc(1000));
      },
    });
    const reader = await readerOf(stream);
    await reader.read(new Uint8Array(5000));
    await sleep(20);
    expect(produced).toBeLessThanOrEqual(8000);
    await reader.close();
  });

  test('fills the buffer from many small pieces', async () => {
    const reader = await readerOf(
      Readable.from(
        Array.from({ length: 50 }, () => Buffer.alloc(10)),
        { objectMode: false },
      ),
    );
    const into = new Uint8Array(300);
    expect(await reader.read(into)).toEqual({ kind: 'data', length: 300 });
    expect(await reader.read(into)).toEqual({ kind: 'data', length: 200 });
    expect(await reader.read(into)).toEqual({ kind: 'end' });
  });

  test('that fails, or is cut off, is an error and not an end', async () => {
    const failing = new Readable({
      read() {
        this.push(Buffer.alloc(10));
        this.destroy(new Error('broken pipe'));
      },
    });
    await expect((await readerOf(failing)).read(new Uint8Array(100))).rejects.toThrow(
      coded('SOURCE_UNREADABLE'),
    );
    const cut = new Readable({
      read() {
        this.destroy();
      },
    });
    await expect((await readerOf(cut)).read(new Uint8Array(100))).rejects.toThrow(coded('SOURCE_UNREADABLE'));
  });

  test('that says nothing stops for a signal', async () => {
    const reader = await readerOf(new Readable({ read() {} }));
    const signal = AbortSignal.timeout(30);
    await expect(reader.read(new Uint8Array(10), { signal })).rejects.toThrow(coded('CANCELLED'));
    await reader.close();
  });

  test('that gives text is refused', async () => {
    const reader = await readerOf(Readable.from(['text'], { encoding: 'utf8' }));
    await expect(reader.read(new Uint8Array(10))).rejects.toThrow(coded('SOURCE_UNREADABLE'));
  });

  test('happens once, under a sound name', async () => {
    const source = streamSource({ stream: Readable.from([]), name: 'input' });
    await (await source.open()).close();
    await expect(source.open()).rejects.toThrow(coded('SOURCE_UNREADABLE'));
    await expect(streamSource({ stream: Readable.from([]), name: '../x' }).open()).rejects.toThrow(
      coded('USAGE'),
    );
  });
});

describe('writing to a stream', () => {
  const header = { path: pathFromText('input'), kind: 'stream', attributes: {}, size: 10 };

  async function begun(stream: Writable): Promise<Sink> {
    const sink = streamSink({ stream });
    await sink.begin({ attributes: {} });
    return sink;
  }

  test('waits for a slow reader', async () => {
    let pending: (() => void) | null = null;
    const stream = new Writable({
      write(_piece, _encoding, done) {
        pending = done;
      },
    });
    const writer = await (await begun(stream)).create(header);
    let written = false;
    const write = writer!.write(0, new Uint8Array(10)).then(() => {
      written = true;
    });
    await sleep(10);
    expect(written).toBe(false);
    pending!();
    await write;
  });

  test('whose reader went away is unwritable', async () => {
    const stream = new Writable({
      write(_piece, _encoding, done) {
        done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
      },
    });
    const writer = await (await begun(stream)).create(header);
    const refused = expect.objectContaining({ code: 'TARGET_UNWRITABLE', hint: expect.any(String) });
    await expect(writer!.write(0, new Uint8Array(10))).rejects.toThrow(refused);
    await expect(writer!.write(10, new Uint8Array(10))).rejects.toThrow(refused);
  });

  test('takes one object, with content', async () => {
    const sink = await begun(
      new Writable({
        write(_piece, _encoding, done) {
          done();
        },
      }),
    );
    await expect(sink.create({ ...header, kind: 'directory', size: null })).rejects.toThrow(coded('USAGE'));
    await sink.create(header);
    await expect(sink.create({ ...header, path: pathFromText('more') })).rejects.toThrow(coded('USAGE'));
  });

  test('refuses bytes that come out of order', async () => {
    const writer = await (
      await begun(
        new Writable({
          write(_piece, _encoding, done) {
            done();
          },
        }),
      )
    ).create(header);
    await writer!.write(5, new Uint8Array(5));
    await expect(writer!.write(0, new Uint8Array(5))).rejects.toThrow(coded('INTERNAL'));
  });
});

test('the sink follows from the kind of the source and the target', () => {
  const stream = new Writable();
  expect(sinkFor('sqlite', { stream }).order).toBe('ascending');
  expect(sinkFor('tree', { path: 'x', overwrite: false }).order).toBe('any');
  expect(sinkFor('stdin', { path: 'x', overwrite: false }).order).toBe('any');
  expect(() => sinkFor('tree', { stream })).toThrow(coded('USAGE'));
  expect(() => sinkFor('other', { stream })).toThrow(coded('USAGE'));
});

const canMount = process.getuid?.() === 0 && process.platform === 'linux';
test.runIf(canMount)('a full disk says so, and leaves nothing', async () => {
  const root = mkdtempSync(join(tmpdir(), 'holdfast-full-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', root], { stdio: 'ignore' });
  } catch {
    // No right to mount in here (a container): nothing to test with.
    rmSync(root, { recursive: true });
    return;
  }
  try {
    mkdirSync(join(root, 'd'));
    const header = { path: pathFromText('input'), attributes: {}, size: 4_000_000 };
    for (const [sink, kind] of [
      [fileSink({ path: join(root, 'd', 'file'), overwrite: false }), 'stream'],
      [treeSink({ path: join(root, 'd', 'tree'), overwrite: false }), 'file'],
    ] as const) {
      await sink.begin({ attributes: {} });
      const writer = await sink.create({ ...header, kind });
      await expect(writer!.write(0, new Uint8Array(4_000_000))).rejects.toThrow(coded('DISK_FULL'));
      await sink.abort();
    }
    expect(execFileSync('ls', ['-A', join(root, 'd')], { encoding: 'utf8' })).toBe('');
  } finally {
    execFileSync('umount', [root]);
    rmSync(root, { recursive: true });
  }
});

import type { ContentWriter, Sink } from '@holdfast/contracts';
import { displayPath, pathFromText } from '@holdfast/contracts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { copySnapshot } from './copy-snapshot.ts';
import { type MemorySourceObject, memorySource } from './memory-source.ts';

export interface SinkHarness {
  /** A fresh sink for the harness's one target. */
  sink(options: { overwrite: boolean }): Sink;
  /** What lies at the target: content by `displayPath`, null without content. Null when there is no target. */
  readBack(): Promise<ReadonlyMap<string, Uint8Array | null> | null>;
  cleanUp(): Promise<void>;
}

export interface SinkContractOptions {
  /** Objects that this kind of sink takes; one with content lies at the top. */
  readonly sample: readonly MemorySourceObject[];
  /** False for targets that show what is written at once and cannot be written twice. Default true. */
  readonly atomic?: boolean;
}

/** What every `Sink` must do. `create` gives a harness whose target does not exist yet. */
export function describeSinkContract(
  name: string,
  create: () => Promise<SinkHarness>,
  { sample, atomic = true }: SinkContractOptions,
): void {
  describe(`sink contract: ${name}`, () => {
    let harness: SinkHarness;
    beforeEach(async () => {
      harness = await create();
    });
    afterEach(() => harness.cleanUp());

    const expected = asBuffers(new Map(sample.map((object) => [nameOf(object), object.content])));
    const first = sample.find((object) => object.content !== null && !nameOf(object).includes('/'));
    const content = first?.content;
    if (first === undefined || !content) throw new Error('the sample has no object with content');
    const header = {
      path: typeof first.path === 'string' ? pathFromText(first.path) : first.path,
      kind: first.kind ?? 'file',
      attributes: first.attributes ?? {},
      size: content.length,
    };

    const there = async (): Promise<Contents | null> => {
      const found = await harness.readBack();
      return found && asBuffers(found);
    };

    const begun = async (overwrite = false): Promise<Sink> => {
      const sink = harness.sink({ overwrite });
      await sink.begin({ attributes: {} });
      return sink;
    };

    const writerOf = async (sink: Sink): Promise<ContentWriter> => {
      const writer = await sink.create(header);
      if (writer === null) throw new Error('the sink gave no writer for an object with content');
      return writer;
    };

    const restore = async (objects: readonly MemorySourceObject[], overwrite = false): Promise<void> => {
      const snapshot = await memorySource(objects).open();
      await copySnapshot(snapshot, harness.sink({ overwrite }), { bufferBytes: 10_000 });
    };

    test('writes what it is given', async () => {
      await restore(sample);
      expect(await there()).toEqual(expected);
    });

    test('leaves zeros where nothing was written', async () => {
      const sink = await begun();
      const writer = await writerOf(sink);
      // The head must stay: some kinds of content have one that the sink checks.
      const head = content.subarray(0, content.length / 2);
      await writer.write(0, head);
      await writer.complete(content.length);
      await sink.finish();
      const whole = Buffer.alloc(content.length);
      whole.set(head);
      expect((await there())?.get(nameOf(first))).toEqual(whole);
    });

    test('borrows bytes only until a write settles', async () => {
      const sink = await begun();
      const writer = await writerOf(sink);
      const buffer = new Uint8Array(new SharedArrayBuffer(700));
      for (let offset = 0; offset < content.length; offset += buffer.length) {
        const piece = content.subarray(offset, offset + buffer.length);
        buffer.set(piece);
        await writer.write(offset, buffer.subarray(0, piece.length));
        buffer.fill(0xee);
      }
      await writer.complete(content.length);
      await sink.finish();
      expect((await there())?.get(nameOf(first))).toEqual(Buffer.from(content));
    });

    test('takes pieces in any order, several at a time, if it says so', async () => {
      const sink = await begun();
      if (sink.order !== 'any') return sink.abort();
      const writer = await writerOf(sink);
      const offsets = Array.from({ length: Math.ceil(content.length / 300) }, (_, i) => i * 300);
      // Multiplying by a prime beyond the length is a permutation.
      const shuffled = offsets.map((_, i) => offsets[(i * 7919) % offsets.length]!);
      await Promise.all(
        shuffled.map((offset) =>
          writer.write(offset, Uint8Array.from(content.subarray(offset, offset + 300))),
        ),
      );
      await writer.complete(content.length);
      await sink.finish();
      expect((await there())?.get(nameOf(first))).toEqual(Buffer.from(content));
    });

    test.each(['', '/etc/passwd', '../up', 'a/../../b', 'a//b', '.', 'a\0b', 'a/'])(
      'refuses the unsafe path %j',
      async (path) => {
        const sink = await begun();
        await expect(sink.create({ ...header, path: pathFromText(path) })).rejects.toThrow(
          coded('FORMAT_INVALID'),
        );
        await sink.abort();
      },
    );

    test('stops for a signal', async () => {
      const signal = AbortSignal.abort();
      await expect(harness.sink({ overwrite: false }).begin({ attributes: {} }, { signal })).rejects.toThrow(
        coded('CANCELLED'),
      );
      const sink = await begun();
      await expect(sink.create(header, { signal })).rejects.toThrow(coded('CANCELLED'));
      const writer = await writerOf(sink);
      await writer.write(0, content);
      await writer.complete(content.length);
      await expect(sink.finish({ signal })).rejects.toThrow(coded('CANCELLED'));
      await sink.abort();
      if (atomic) expect(await there()).toBeNull();
    });

    test('may be aborted at any time, and more than once', async () => {
      await harness.sink({ overwrite: false }).abort();
      const sink = await begun();
      const writer = await writerOf(sink);
      await writer.write(0, content.subarray(0, 10));
      await sink.abort();
      await sink.abort();
      if (atomic) expect(await there()).toBeNull();
    });

    test('keeps what is finished when aborted afterwards', async () => {
      const sink = await begun();
      const writer = await writerOf(sink);
      await writer.write(0, content);
      await writer.complete(content.length);
      await sink.finish();
      await sink.abort();
      expect((await there())?.get(nameOf(first))).toEqual(Buffer.from(content));
    });

    if (!atomic) return;

    test('shows nothing before it is finished', async () => {
      const sink = await begun();
      const writer = await writerOf(sink);
      await writer.write(0, content);
      await writer.complete(content.length);
      expect(await there()).toBeNull();
      await sink.finish();
      expect(await there()).not.toBeNull();
    });

    test('refuses a target that is there, and leaves it alone', async () => {
      await restore(sample);
      await expect(begun()).rejects.toThrow(coded('ALREADY_EXISTS'));
      expect(await there()).toEqual(expected);
    });

    test('replaces a target when asked to, and not before the end', async () => {
      await restore(sample);
      const sink = await begun(true);
      const writer = await writerOf(sink);
      await writer.write(0, content);
      await writer.complete(content.length);
      expect(await there()).toEqual(expected);
      await sink.finish();
      expect(await there()).toEqual(new Map([[nameOf(first), Buffer.from(content)]]));
    });

    test('keeps the old target when replacing it is aborted', async () => {
      await restore(sample);
      const sink = await begun(true);
      await (await writerOf(sink)).write(0, content);
      await sink.abort();
      expect(await there()).toEqual(expected);
    });

    test('takes no notice of what a crashed run left, nor of a stalled one that wakes up', async () => {
      const stalled = await begun();
      const writer = await writerOf(stalled);
      await writer.write(0, content);
      await writer.complete(content.length);
      await restore(sample);
      expect(await there()).toEqual(expected);
      await expect(stalled.finish()).rejects.toThrow(coded('TARGET_UNWRITABLE'));
      await stalled.abort();
      expect(await there()).toEqual(expected);
    });
  });
}

type Contents = ReadonlyMap<string, Uint8Array | null>;

/** So that equal bytes are equal whatever kind of array holds them. */
const asBuffers = (contents: Contents): Contents =>
  new Map([...contents].map(([path, content]) => [path, content && Buffer.from(content)]));

const coded = (code: string): unknown => expect.objectContaining({ code });

const nameOf = (object: MemorySourceObject): string =>
  displayPath(typeof object.path === 'string' ? pathFromText(object.path) : object.path);

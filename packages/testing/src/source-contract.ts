import {
  type AttributeValue,
  comparePaths,
  displayPath,
  isSafePath,
  type Source,
  type SourceObject,
} from '@holdfast/contracts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readWhole } from './copy-snapshot.ts';

export interface SourceHarness {
  readonly source: Source;
  /** Content by `displayPath`; null for objects without. All that the source has, and nothing else. */
  readonly expected: ReadonlyMap<string, Uint8Array | null>;
  cleanUp(): Promise<void>;
}

export interface SourceContractOptions {
  /** False for a source that can be read only once. Default true. */
  readonly repeatable?: boolean;
}

type Contents = ReadonlyMap<string, Uint8Array | null>;

const LEAST_PART = 20_000;

const buffer = (bytes: number): Uint8Array => new Uint8Array(new SharedArrayBuffer(bytes));

/** What every `Source` must do. `create` gives a fresh healthy source with something in it. */
export function describeSourceContract(
  name: string,
  create: () => Promise<SourceHarness>,
  { repeatable = true }: SourceContractOptions = {},
): void {
  describe(`source contract: ${name}`, () => {
    let harness: SourceHarness;
    beforeEach(async () => {
      harness = await create();
    });
    afterEach(() => harness.cleanUp());

    test('test() says what is there', async () => {
      const report = await harness.source.test();
      expect(report.kind).toBe(harness.source.kind);
      if (report.objects !== null) expect(report.objects).toBe(harness.expected.size);
      for (const fact of Object.values(report.facts))
        expect(['string', 'number', 'boolean']).toContain(typeof fact);
      // It consumed nothing.
      expectSameContent(await readAll(harness.source, buffer(65536)), harness.expected);
    });

    test('lists sound objects in ascending order, with their content', async () => {
      const snapshot = await harness.source.open();
      const seen = new Map<string, Uint8Array | null>();
      let last: SourceObject | null = null;
      for await (const object of snapshot.objects()) {
        expectSound(object);
        if (last !== null) expect(comparePaths(last.path, object.path)).toBeLessThan(0);
        last = object;
        const reader = object.cut === null ? null : await object.open();
        const content = reader && (await readWhole(reader, buffer(256 * 1024)));
        await reader?.close();
        if (content !== null && object.size !== null) expect(content.length).toBe(object.size);
        if (object.cut?.by === 'blocks') expect((content?.length ?? 0) % object.cut.blockBytes).toBe(0);
        seen.set(displayPath(object.path), content);
      }
      expect(snapshot.problems).toEqual([]);
      expect(snapshot.estimate.objects ?? seen.size).toBe(seen.size);
      await snapshot.close();
      expectSameContent(seen, harness.expected);
    });

    test.each([1, 977, 4096, 100_000])(
      'gives the same content through a buffer of %i bytes',
      async (bytes) => {
        expectSameContent(await readAll(harness.source, buffer(bytes), 300_000), harness.expected, 300_000);
      },
    );

    test('lets many objects be read side by side', async () => {
      const snapshot = await harness.source.open();
      const open: { path: string; content: Promise<Uint8Array | null> }[] = [];
      for await (const object of snapshot.objects()) {
        const reader = object.cut === null ? null : await object.open();
        const content = reader && readWhole(reader, buffer(5000)).finally(() => reader.close());
        open.push({ path: displayPath(object.path), content: Promise.resolve(content) });
        if (open.length % 32 === 0) await Promise.all(open.map((each) => each.content));
      }
      const seen = new Map<string, Uint8Array | null>();
      for (const { path, content } of open) seen.set(path, await content);
      await snapshot.close();
      expectSameContent(seen, harness.expected);
    });

    test('stops for a signal', async () => {
      const signal = AbortSignal.abort();
      await expect(harness.source.test({ signal })).rejects.toThrow(cancelledError);
      await expect(harness.source.open({ signal })).rejects.toThrow(cancelledError);
      const snapshot = await harness.source.open();
      const iterate = async (): Promise<void> => {
        for await (const object of snapshot.objects()) {
          if (object.cut === null) continue;
          const reader = await object.open();
          await expect(reader.read(buffer(100), { signal })).rejects.toThrow(cancelledError);
          await reader.close();
        }
      };
      await iterate();
      await snapshot.close();
    });

    test('stops listing for a signal', async () => {
      const snapshot = await harness.source.open();
      const iterate = async (): Promise<void> => {
        for await (const _ of snapshot.objects({ signal: AbortSignal.abort() }))
          expect.fail('an object was listed');
      };
      await expect(iterate()).rejects.toThrow(cancelledError);
      await snapshot.close();
    });

    test('may be closed early, and more than once', async () => {
      const snapshot = await harness.source.open();
      for await (const object of snapshot.objects()) {
        if (object.cut === null) continue;
        const reader = await object.open();
        await reader.read(buffer(10));
        await reader.close();
        await reader.close();
        break;
      }
      await snapshot.close();
      await snapshot.close();
    });

    if (!repeatable) return;

    test('says the same again, with fingerprints that agree', async () => {
      const list = async (): Promise<unknown[]> => {
        const snapshot = await harness.source.open();
        const objects: SourceObject[] = [];
        for await (const object of snapshot.objects()) objects.push(object);
        await snapshot.close();
        // Two fingerprints that could be told then and could not now do not contradict each other.
        return objects.map(({ path, kind, attributes, size, cut }) => ({
          path,
          kind,
          attributes,
          size,
          cut,
        }));
      };
      expect(await list()).toEqual(await list());
    });

    test('lets two snapshots be open at once', async () => {
      const other = await harness.source.open();
      expectSameContent(await readAll(harness.source, buffer(65536)), harness.expected);
      const seen = new Map<string, Uint8Array | null>();
      for await (const object of other.objects()) {
        const reader = object.cut === null ? null : await object.open();
        seen.set(displayPath(object.path), reader && (await readWhole(reader, buffer(65536))));
        await reader?.close();
      }
      await other.close();
      expectSameContent(seen, harness.expected);
    });
  });
}

const cancelledError = expect.objectContaining({ code: 'CANCELLED' });

function expectSound(object: SourceObject): void {
  expect(isSafePath(object.path)).toBe(true);
  expect(object.kind).toMatch(/^[a-z]+(-[a-z]+)*$/);
  for (const value of Object.values(object.attributes)) expect(isAttributeValue(value)).toBe(true);
  if (object.cut === null) expect(object.size).toBeNull();
  if (object.size !== null) expect(Number.isSafeInteger(object.size) && object.size >= 0).toBe(true);
  if (object.cut?.by === 'blocks') expect(object.cut.blockBytes).toBeGreaterThan(0);
}

function isAttributeValue(value: AttributeValue): boolean {
  return (
    value === null ||
    value instanceof Uint8Array ||
    ['string', 'bigint', 'boolean'].includes(typeof value) ||
    Number.isFinite(value)
  );
}

/** Reads each object up to about `limit` bytes, checking each result on the way. */
async function readAll(
  source: Source,
  into: Uint8Array,
  limit = Number.POSITIVE_INFINITY,
): Promise<Map<string, Uint8Array | null>> {
  const snapshot = await source.open();
  const seen = new Map<string, Uint8Array | null>();
  try {
    for await (const object of snapshot.objects()) {
      seen.set(displayPath(object.path), object.cut === null ? null : await readSome(object, into, limit));
    }
  } finally {
    await snapshot.close();
  }
  return seen;
}

async function readSome(object: SourceObject, into: Uint8Array, limit: number): Promise<Uint8Array> {
  const reader = await object.open();
  const parts: Uint8Array[] = [];
  let total = 0;
  // With tiny buffers the first part must do.
  const enough = Math.min(limit, into.length * LEAST_PART);
  for (;;) {
    const result = await reader.read(into);
    if (result.kind === 'end') {
      expect(await reader.read(into)).toEqual({ kind: 'end' });
      break;
    }
    expect(result.length).toBeGreaterThan(0);
    if (result.kind === 'data') expect(result.length).toBeLessThanOrEqual(into.length);
    parts.push(
      result.kind === 'hole'
        ? new Uint8Array(result.length)
        : Uint8Array.from(into.subarray(0, result.length)),
    );
    total += result.length;
    if (total >= enough) break;
  }
  await reader.close();
  return Buffer.concat(parts);
}

/** @param limit as given to `readAll`: then the first part of each object is all that is compared. */
function expectSameContent(seen: Contents, expected: Contents, limit = Number.POSITIVE_INFINITY): void {
  expect([...seen.keys()]).toEqual([...expected.keys()]);
  for (const [path, content] of expected) {
    const got = seen.get(path) ?? null;
    if (content === null || got === null) {
      expect(got, path).toBe(content);
      continue;
    }
    const compared =
      limit === Number.POSITIVE_INFINITY ? content.length : Math.min(content.length, LEAST_PART);
    expect(got.length, path).toBeGreaterThanOrEqual(compared);
    expect(got.length, path).toBeLessThanOrEqual(content.length);
    expect(Buffer.compare(got, content.subarray(0, got.length)), path).toBe(0);
  }
}

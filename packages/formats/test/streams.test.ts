import type { Stripe } from '@holdfast/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CborValue,
  decodeStripe,
  type Extent,
  encodeCanonical,
  encodeExtents,
  encodeObject,
  encodeStripe,
  MAX_EXTENT_LENGTH,
  MAX_EXTENTS,
  type MetadataRecord,
  metadataReader,
  type ObjectRecord,
  type RecordReader,
  stripeReader,
} from '../src/index.ts';
import { objectWithExtents, peerId, stripe } from './format-arbitraries.ts';
import { checkHostileInput } from './hostile.ts';

/** Cuts at the fractions given, so that pieces of any length, also none, come in a row. */
function readInPieces<T>(reader: RecordReader<T>, bytes: Uint8Array, cuts: readonly number[]): T[] {
  const at = [0, ...cuts.map((cut) => Math.floor(cut * bytes.length)), bytes.length].sort((a, b) => a - b);
  const records = at.slice(1).flatMap((end, i) => {
    // The reader may keep nothing of a borrowed piece: it is overwritten after the call.
    const piece = Uint8Array.from(bytes.subarray(at[i]!, end));
    const read = reader.push(piece);
    piece.fill(0xff);
    return read;
  });
  return [...records, ...reader.end()];
}

const readAll = <T>(reader: RecordReader<T>, bytes: Uint8Array): T[] => [
  ...reader.push(bytes),
  ...reader.end(),
];
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 20 });

const toRecords = (objects: readonly { object: ObjectRecord; lists: Extent[][] }[]): MetadataRecord[] =>
  objects.flatMap(({ object, lists }) => [
    { type: 'object' as const, object },
    ...lists.map((list) => ({ type: 'extents' as const, extents: list })),
  ]);
const encodeRecord = (record: MetadataRecord): Uint8Array =>
  record.type === 'object' ? encodeObject(record.object) : encodeExtents(record.extents);
const encodeRecords = (records: readonly MetadataRecord[]): Uint8Array =>
  Buffer.concat(records.map(encodeRecord));
const objects = fc.array(objectWithExtents, { maxLength: 5 }).map(toRecords);

/** The same record with a superfluous zero at the end of its length, which has to be one byte. */
const overlong = (record: Uint8Array): Uint8Array =>
  Buffer.concat([Uint8Array.of(record[0]! | 0x80, 0), record.subarray(1)]);

describe('the stream of objects', () => {
  it('gives back what was written, however it is cut', () => {
    fc.assert(
      fc.property(objects, cuts, (records, at) => {
        expect(readInPieces(metadataReader(), encodeRecords(records), at)).toEqual(records);
      }),
    );
  });

  it('refuses hostile bytes', () => {
    checkHostileInput(
      objects.map(encodeRecords),
      (bytes) => readAll(metadataReader(), bytes),
      encodeRecords,
      3000,
    );
  });

  it('keeps negative zero, small bigints and strange keys apart', () => {
    const attributes = Object.fromEntries([
      ['__proto__', 1n],
      ['constructor', -0],
      ['zero', 0n],
      ['half', 0.5],
      ['big', 2 ** 60],
    ]);
    const object: ObjectRecord = { path: Buffer.from('a'), kind: 'file', attributes, size: 0, cut: null };
    const [read] = readAll(metadataReader(), encodeObject(object));
    expect(read).toStrictEqual({ type: 'object', object: { ...object, path: Uint8Array.of(0x61) } });
  });

  const plain: ObjectRecord = {
    path: Buffer.from('a/b'),
    kind: 'file',
    attributes: {},
    size: 10,
    cut: { by: 'content' },
  };
  const ten: Extent = { kind: 'hole', length: 10 };

  it.each<[string, Uint8Array[]]>([
    ['extents of no object', [encodeExtents([ten])]],
    ['too few bytes of content', [encodeObject({ ...plain, size: 11 }), encodeExtents([ten])]],
    ['too few bytes before the next object', [encodeObject(plain), encodeObject(plain)]],
    ['too many bytes of content', [encodeObject({ ...plain, size: 9 }), encodeExtents([ten])]],
    ['an empty record', [Uint8Array.of(0)]],
    ['a record longer than 1 MiB', [Uint8Array.of(0x81, 0x80, 0x40)]],
    ['a record length without end', [Uint8Array.of(0xff, 0xff, 0xff, 0xff)]],
    ['a record length longer than needed', [overlong(encodeObject({ ...plain, size: 0, cut: null }))]],
    ['an unknown kind of record', [Uint8Array.of(2, 0x81, 0x07)]],
    ['an end inside a record', [encodeObject(plain).subarray(0, 9)]],
    ['an end inside a length', [Uint8Array.of(0x80)]],
  ])('refuses %s', (_name, pieces) => {
    const reader = metadataReader();
    expect(() => [...pieces.flatMap((piece) => reader.push(piece)), ...reader.end()]).toThrow(
      expect.objectContaining({ code: 'FORMAT_INVALID' }),
    );
    expect(() => reader.push(encodeObject(plain))).toThrow(
      expect.objectContaining({ code: 'FORMAT_INVALID' }),
    );
  });

  const double = (value: number): Uint8Array => {
    const eight = Buffer.alloc(8);
    eight.writeDoubleBE(value);
    return eight;
  };

  it.each<[string, CborValue]>([
    ['a boxed double that is a plain integer', [double(1)]],
    ['a boxed double that is not a number', [double(Number.NaN)]],
    ['a boxed double that is infinite', [double(Number.NEGATIVE_INFINITY)]],
    ['a boxed double of seven bytes', [new Uint8Array(7)]],
    ['a box of two', [1, 2]],
    ['an empty box', []],
    ['a box of text', ['1']],
    ['a map', {}],
    ['a large integer without a box', 2n ** 60n],
  ])('refuses an attribute that is %s', (_name, value) => {
    const body = encodeCanonical([0, [Uint8Array.of(1), 'file', { a: value }, 0, null]]);
    expect(() => metadataReader().push(Buffer.concat([Uint8Array.of(body.length), body]))).toThrow(
      expect.objectContaining({ code: 'FORMAT_INVALID' }),
    );
  });

  it('allocates for a record no more than its announced length, and that is bounded', () => {
    const before = process.memoryUsage().arrayBuffers;
    const readers = Array.from({ length: 8 }, () => metadataReader());
    for (const reader of readers) reader.push(Uint8Array.of(0x80, 0x80, 0x40, 0x82));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(9 << 20);
  });

  it.each<[string, ObjectRecord]>([
    ['an empty path', { ...plain, path: new Uint8Array(0) }],
    ['a size without content', { ...plain, cut: null }],
    ['attributes of more than a record', { ...plain, attributes: { big: new Uint8Array(1 << 20) } }],
    ['an infinite attribute', { ...plain, attributes: { x: Number.POSITIVE_INFINITY } }],
  ])('does not write an object with %s', (_name, object) => {
    expect(() => encodeObject(object)).toThrow(expect.objectContaining({ name: 'HoldfastError' }));
  });
});

describe('extents', () => {
  it('take two bytes where content goes on in the same or the next frame', () => {
    const run = Array.from(
      { length: 1000 },
      (_, i): Extent => ({
        kind: 'data',
        partition: 70_000,
        frame: i >> 2,
        offset: (i & 3) * 4000,
        length: 4000,
      }),
    );
    expect(encodeExtents(run).length).toBeLessThan(2 * 1000 + 16);
  });

  it.each<[string, Extent[]]>([
    ['none', []],
    [
      'more than a record holds',
      Array.from({ length: MAX_EXTENTS + 1 }, () => ({ kind: 'hole', length: 1 })),
    ],
    ['one of length 0', [{ kind: 'hole', length: 0 }]],
    ['one too long', [{ kind: 'hole', length: MAX_EXTENT_LENGTH + 1 }]],
    ['a fraction', [{ kind: 'data', partition: 0, frame: 0, offset: 0.5, length: 1 }]],
    ['a negative partition', [{ kind: 'data', partition: -1, frame: 0, offset: 0, length: 1 }]],
  ])('are not written when there are %s', (_name, list) => {
    expect(() => encodeExtents(list)).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
  });

  it('may be as many as the limit, and no more', () => {
    const full = Array.from({ length: MAX_EXTENTS }, (): Extent => ({ kind: 'hole', length: 1 }));
    const object = encodeObject({
      path: Buffer.from('x'),
      kind: 'file',
      attributes: {},
      size: MAX_EXTENTS,
      cut: { by: 'content' },
    });
    expect(readAll(metadataReader(), Buffer.concat([object, encodeExtents(full)]))).toHaveLength(2);
    const body = encodeCanonical([1, new Uint8Array(MAX_EXTENTS + 1).fill(7)]);
    const record = Buffer.concat([Uint8Array.of((body.length & 0x7f) | 0x80, body.length >> 7), body]);
    expect(() => readAll(metadataReader(), Buffer.concat([object, record]))).toThrow(/more than 4096/);
  });

  const object = encodeObject({
    path: Buffer.from('x'),
    kind: 'file',
    attributes: {},
    size: 1,
    cut: { by: 'content' },
  });

  it.each<[string, number[]]>([
    ['in a longer form than needed', [0x06, 0x00, 0x00, 0x00]],
    ['with a number longer than needed', [0x84, 0x00]],
    ['with a number beyond the safe integers', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]],
    ['with a number without end', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]],
    ['cut short', [0x06, 0x02, 0x01]],
    ['with one of length 0', [0x00, 0x04]],
    ['of a negative partition', [0x06, 0x01, 0x00, 0x00]],
    ['of a partition out of range', [0x06, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x00, 0x00]],
    ['of a frame out of range', [0x06, 0x00, 0x80, 0x80, 0x80, 0x80, 0x10, 0x00]],
    ['when there are none', []],
  ])('are refused %s', (_name, packed) => {
    const body = encodeCanonical([1, Uint8Array.from(packed)]);
    const record = Buffer.concat([Uint8Array.of(body.length), body]);
    expect(() => readAll(metadataReader(), Buffer.concat([object, record]))).toThrow(
      expect.objectContaining({ code: 'FORMAT_INVALID', message: expect.stringContaining('field 1') }),
    );
  });
});

describe('the stream of stripes', () => {
  it('gives back what was written, however it is cut', () => {
    fc.assert(
      fc.property(fc.array(stripe, { maxLength: 4 }), cuts, (stripes, at) => {
        expect(readInPieces(stripeReader(), Buffer.concat(stripes.map(encodeStripe)), at)).toEqual(stripes);
      }),
    );
  });

  it('refuses hostile bytes', () => {
    checkHostileInput(stripe.map(encodeStripe), decodeStripe, encodeStripe, 2000);
  });

  it('holds one stripe where one is asked for', () => {
    fc.assert(
      fc.property(stripe, (one) => {
        const bytes = encodeStripe(one);
        expect(decodeStripe(bytes)).toEqual(one);
        expect(() => decodeStripe(Buffer.concat([bytes, bytes]))).toThrow(/holds 2/);
        expect(() => decodeStripe(new Uint8Array(0))).toThrow(/holds 0/);
      }),
      { numRuns: 20 },
    );
  });

  it('takes 64 bytes a shard', () => {
    const [sample] = fc.sample(stripe, { numRuns: 1, seed: 1 });
    const encoded = encodeStripe({ ...sample!, dependencies: [] });
    expect(encoded.length - sample!.shards.length * 64).toBeLessThan(100);
  });

  it.each<[string, (good: Stripe) => Stripe]>([
    ['a missing shard', (good) => ({ ...good, shards: good.shards.slice(1) })],
    ['no primary shard', (good) => ({ ...good, k: 0, m: good.shards.length })],
    ['a Clay code without parity', (good) => ({ ...good, helpers: 3, k: good.shards.length, m: 0 })],
    ['more helpers than there can be shards', (good) => ({ ...good, helpers: 256 })],
    ['an odd size class', (good) => ({ ...good, sizeClass: 100 as Stripe['sizeClass'] })],
    ['more bytes than its shards hold', (good) => ({ ...good, size: good.k * good.sizeClass + 1 })],
    ['a short hash', (good) => ({ ...good, checksum: 'abcd' as Stripe['checksum'] })],
    [
      'a shard with a short hash',
      (good) => ({ ...good, shards: good.shards.map((s) => ({ ...s, hash: 'ab' as Stripe['checksum'] })) }),
    ],
    [
      'a peer that is no key',
      (good) => ({
        ...good,
        shards: good.shards.map((s) => ({ ...s, peer: `12D3KooW${'z'.repeat(44)}` as typeof s.peer })),
      }),
    ],
    ['an unknown kind', (good) => ({ ...good, kind: 'odd' as Stripe['kind'] })],
  ])('is not written with %s', (_name, spoil) => {
    const [good] = fc.sample(stripe, { numRuns: 1, seed: 7 });
    expect(() => encodeStripe(spoil(good!))).toThrow(expect.objectContaining({ name: 'HoldfastError' }));
  });

  it('keeps peers', () => {
    fc.assert(
      fc.property(stripe, peerId, (one, peer) => {
        const moved = { ...one, shards: one.shards.map((shard) => ({ ...shard, peer })) };
        expect(decodeStripe(encodeStripe(moved)).shards.every((shard) => shard.peer === peer)).toBe(true);
      }),
      { numRuns: 20 },
    );
  });
});

import { HoldfastError, pathFromText } from '@holdfast/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nearest, tablePattern } from '../../src/postgres/choose-tables.ts';
import { searchPassFile } from '../../src/postgres/credentials.ts';
import { Discard } from '../../src/postgres/discard.ts';
import { withoutDate } from '../../src/postgres/dump-schema.ts';
import { ident, literal } from '../../src/postgres/quote.ts';
import {
  encodeFacts,
  encodeSequences,
  parseFacts,
  parseSequences,
  type SchemaFacts,
} from '../../src/postgres/schema-facts.ts';
import { SeamFilter } from '../../src/postgres/seam-filter.ts';
import { windowEnd, windowLabel } from '../../src/postgres/time-windows.ts';
import { indexPath, parseRowsPath, rowsPath } from '../../src/rows/object-paths.ts';

const anyName = fc.oneof(
  fc.string({ minLength: 1, unit: 'grapheme' }),
  fc.constantFrom('.', '..', 'a.b.c', '%2E', 'a/b', '\u0085', '\n', 'main', 'all', 'family-x', 'é', '%'),
);

test('paths of rows lead back to the place, and to no other', () => {
  const place = fc.record({
    schema: anyName,
    table: anyName,
    family: fc.option(anyName),
    windowLabel: fc.constantFrom(null, '2026-11', '2026-W48', 'none'),
  });
  fc.assert(
    fc.property(place, (at) => {
      expect(parseRowsPath(rowsPath(at))).toEqual({ ...at, kind: 'rows' });
      expect(parseRowsPath(indexPath(at))).toEqual({ ...at, kind: 'rows-index' });
    }),
  );
  expect(
    Buffer.from(rowsPath({ schema: 'a.b.c', table: 'x/%\n', family: 'p', windowLabel: null })).toString(),
  ).toBe('2-rows/a%2Eb.c/x%2F%25%0A/family-p/all/rows');
  for (const path of [
    '2-rows/a/b/main/all',
    '2-rows/a/b/other/all/rows',
    '2-rows/a%2f/b/main/all/rows',
    '3-large-objects/rows',
    '2-rows/a/b/main/all/rows/x',
    '2-rows/a.b/c/main/all/rows',
  ])
    expect(parseRowsPath(pathFromText(path)), path).toBeNull();
});

const message = (type: string, payload: Buffer): Buffer => {
  const header = Buffer.alloc(5);
  header[0] = type.charCodeAt(0);
  header.writeUInt32BE(payload.length + 4, 1);
  return Buffer.concat([header, payload]);
};
const PREAMBLE = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
const TRAILER = Buffer.from([0xff, 0xff]);
const row = (size: number, byte: number): Buffer =>
  Buffer.concat([Buffer.from([0, 1, 0, 0, size >> 8, size & 255]), Buffer.alloc(size, byte)]);
const end = Buffer.concat([
  message('c', Buffer.alloc(0)),
  message('C', Buffer.from('COPY 3\0')),
  message('Z', Buffer.from('T')),
]);

/** As the server sends it: the header before the first row, or before the trailer where there is none. */
function copyStream(rows: readonly Buffer[]): Buffer {
  const [first = TRAILER, ...others] = [...rows, ...(rows.length > 0 ? [TRAILER] : [])];
  const messages = [Buffer.concat([PREAMBLE, first]), ...others].map((payload) => message('d', payload));
  return Buffer.concat([...messages, message('S', Buffer.from('a\0b\0')), end]);
}

describe('joining COPYs', () => {
  const rows = fc.array(
    fc.tuple(fc.nat(300), fc.constantFrom(0x64, 0x63, 0xff, 0)).map(([size, byte]) => row(size, byte)),
    { maxLength: 6 },
  );
  const payloads = (bytes: Buffer): Buffer => {
    const parts: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += 1 + bytes.readUInt32BE(at + 1))
      if (bytes[at] === 0x64) parts.push(bytes.subarray(at + 5, at + 1 + bytes.readUInt32BE(at + 1)));
    return Buffer.concat(parts);
  };

  test('leaves header and trailer out, and nothing else, however the bytes are cut', () => {
    fc.assert(
      fc.property(
        rows,
        fc.boolean(),
        fc.boolean(),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
        (list, dropHeader, dropTrailer, cuts) => {
          const stream = copyStream(list);
          const filter = new SeamFilter({ dropHeader, dropTrailer });
          const kept: Buffer[] = [];
          for (let at = 0, i = 0; at < stream.length; i++) {
            const step = cuts[i % cuts.length]!;
            kept.push(...filter.push(stream.subarray(at, at + step)));
            at += step;
          }
          const expected = [...(dropHeader ? [] : [PREAMBLE]), ...list, ...(dropTrailer ? [] : [TRAILER])];
          const out = Buffer.concat(kept);
          // A header that stands before the trailer alone goes with it.
          if (list.length === 0 && dropTrailer && !dropHeader) expect(out.subarray(-end.length)).toEqual(end);
          else expect(payloads(out)).toEqual(Buffer.concat(expected));
          expect(out.subarray(-end.length)).toEqual(end);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('discarding stops before the first message that is no row, however the bytes are cut', () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 50 }), (list, step) => {
        const stream = copyStream(list);
        const length = stream.indexOf(Buffer.concat([message('S', Buffer.from('a\0b\0')), end]));
        const discard = new Discard();
        let at = 0;
        while (!discard.atOther) at += discard.push(stream.subarray(at, at + step));
        expect(at).toBe(length);
      }),
    );
  });
});

test('windows', () => {
  expect(windowEnd('2026-12-01', 'month')).toBe('2027-01-01');
  expect(windowEnd('0001-01-01', 'week')).toBe('0001-01-08');
  expect(windowEnd('9999-12-27', 'week')).toBe('10000-01-03');
  expect(windowEnd('2024-02-28', 'day')).toBe('2024-02-29');
  // Facts of ISO 8601: 2020 and 2026 have 53 weeks; the Monday's year may be another than the week's.
  expect(
    ['2020-12-28', '2021-01-04', '2018-12-31', '2026-11-23', '2026-12-28'].map((day) =>
      windowLabel(day, 'week'),
    ),
  ).toEqual(['2020-W53', '2021-W01', '2019-W01', '2026-W48', '2026-W53']);
});

test('password files as libpq reads them', () => {
  const address = { host: 'db', port: 5432, user: 'u', database: 'd' };
  expect(
    searchPassFile('other:5432:d:u:no\n#db:5432:d:u:no\ndb:*:d:u:a\\:b\\\\c\n*:*:*:*:last', address),
  ).toBe('a:b\\c');
  expect(searchPassFile('db:5432:x:u:no\ndb:5432:d:v:no', address)).toBeNull();
  expect(searchPassFile('localhost:5432:d:u:socket', { ...address, host: '/tmp' })).toBe('socket');
  expect(searchPassFile('db:5432:d:u:', address)).toBe('');
});

test('patterns and near names', () => {
  expect(tablePattern('user?')({ schema: 'a', name: 'users' })).toBe(true);
  expect(tablePattern('a.*')({ schema: 'ab', name: 'c' })).toBe(false);
  expect(tablePattern('a+b')({ schema: 'x', name: 'aab' })).toBe(false);
  expect(nearest('mesages', ['users', 'messages'])).toBe('messages');
  expect(nearest('zebra', ['users', 'messages'])).toBeUndefined();
});

test('names and strings in SQL', () => {
  expect(ident('a"b')).toBe('"a""b"');
  expect(literal("it's")).toBe("'it''s'");
  expect(literal("\\'")).toBe(" E'\\\\'''");
});

test('facts come back, and nonsense is refused', () => {
  const facts: SchemaFacts = {
    serverVersion: 150004,
    encoding: 'UTF8',
    collation: 'C',
    extensions: [{ name: 'x', version: '1', schema: 's' }],
    roles: ['r'],
    materializedViews: [{ schema: 'a', name: 'b' }],
    publications: [],
    largeObjects: [{ oid: 1, owner: 'o', acl: null, comment: 'c' }],
    tables: [
      {
        schema: 'a',
        name: 't',
        kind: 'r',
        identityAlways: ['id'],
        families: { pii: ['x'] },
        time: { column: 'at', window: 'month' },
      },
    ],
  };
  expect(parseFacts(encodeFacts(facts))).toEqual(facts);
  const sequences = [{ schema: 'a', name: 's', last: '-9223372036854775808', called: false }];
  expect(parseSequences(encodeSequences(sequences))).toEqual(sequences);
  const invalid = expect.objectContaining({ code: 'FORMAT_INVALID' });
  const broken: unknown[] = [
    null,
    [],
    { ...facts, serverVersion: '15' },
    { ...facts, tables: [{}] },
    { ...facts, roles: [1] },
    { ...facts, largeObjects: {} },
  ];
  for (const each of broken) expect(() => parseFacts(Buffer.from(JSON.stringify(each)))).toThrow(invalid);
  expect(() => parseFacts(Buffer.from([0xff]))).toThrow(invalid);
  expect(() =>
    parseSequences(Buffer.from('[{"schema":"a","name":"s","last":"1; drop table x","called":true}]')),
  ).toThrow(invalid);
  fc.assert(
    fc.property(fc.json(), (text) => {
      try {
        parseFacts(Buffer.from(text));
      } catch (error) {
        expect(HoldfastError.is(error, 'FORMAT_INVALID')).toBe(true);
      }
    }),
  );
});

test('what is no archive is not taken for one', () => {
  expect(() => withoutDate(Buffer.from('-- SQL'))).toThrow(
    expect.objectContaining({ code: 'SOURCE_UNREADABLE' }),
  );
});

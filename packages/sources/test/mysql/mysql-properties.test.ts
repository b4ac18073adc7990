import { MariadbServer } from '@holdfast/testing/servers/mariadb-server';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { endOfQuoted, mapUnquoted, quoteName, requalify } from '../../src/mysql/quoting.ts';
import { withoutCounter } from '../../src/mysql/read/definitions.ts';
import { loadTextOf } from '../../src/mysql/restore/load-text.ts';
import { encodeTuple } from '../../src/rows/tuple-splitter.ts';
import { restore } from './rig.ts';

const missing = await MariadbServer.missing();

/** A column's declaration, and literals of values that it takes. */
interface Kind {
  readonly type: string;
  readonly value: fc.Arbitrary<string>;
}

const hex = (bytes: Uint8Array): string => `x'${Buffer.from(bytes).toString('hex')}'`;
const text = (max: number, unit: 'binary' | 'grapheme-ascii' = 'binary'): fc.Arbitrary<string> =>
  fc.string({ unit, maxLength: max }).map((value) => `_utf8mb4 ${hex(Buffer.from(value, 'utf8'))}`);
const bytes = (max: number): fc.Arbitrary<string> => fc.uint8Array({ maxLength: max }).map(hex);
const integer = (bits: number): fc.Arbitrary<string> =>
  fc.bigInt({ min: -(2n ** BigInt(bits - 1)), max: 2n ** BigInt(bits - 1) - 1n }).map(String);
const digits = (count: number): fc.Arbitrary<string> => fc.stringMatching(new RegExp(`^[0-9]{1,${count}}$`));
const day = fc
  .tuple(fc.nat(9999), fc.nat(12), fc.nat(31))
  .map(([y, m, d]) => `'${String(y).padStart(4, '0')}-${m}-${d}'`);
const double = fc
  .double({ noNaN: true, noDefaultInfinity: true })
  .map((value) => `'${Object.is(value, -0) ? '-0' : value}'`);
const float = fc
  .float({ noNaN: true, noDefaultInfinity: true })
  .map((value) => `'${Object.is(value, -0) ? '-0' : value}'`);

const KINDS: readonly Kind[] = [
  { type: 'tinyint', value: integer(8) },
  { type: 'mediumint', value: integer(24) },
  { type: 'int', value: integer(32) },
  { type: 'bigint', value: integer(64) },
  { type: 'bigint unsigned', value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String) },
  {
    type: 'decimal(65,30)',
    value: fc
      .tuple(fc.boolean(), digits(35), digits(30))
      .map(([minus, a, b]) => `${minus ? '-' : ''}${a}.${b}`),
  },
  { type: 'double', value: double },
  { type: 'float', value: float },
  { type: 'float(9,3)', value: fc.float({ noNaN: true, min: -99999, max: 99999 }).map(String) },
  { type: 'bit(64)', value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String) },
  { type: 'bit(3)', value: fc.nat(7).map(String) },
  { type: 'date', value: day },
  {
    type: 'datetime(6)',
    value: fc
      .tuple(day, fc.nat(86_399), fc.nat(999_999))
      .map(
        ([d, s, f]) =>
          `${d.slice(0, -1)} ${Math.floor(s / 3600)}:${Math.floor(s / 60) % 60}:${s % 60}.${String(f).padStart(6, '0')}'`,
      ),
  },
  {
    type: 'timestamp(6) null',
    value: fc.integer({ min: 1, max: 2 ** 31 - 1 }).map((s) => `from_unixtime(${s}.000001)`),
  },
  { type: 'time(3)', value: fc.integer({ min: -3_020_399, max: 3_020_399 }).map((s) => `sec_to_time(${s})`) },
  { type: 'year', value: fc.oneof(fc.constant('0'), fc.integer({ min: 1901, max: 2155 }).map(String)) },
  { type: 'varchar(60) character set utf8mb4', value: text(20) },
  { type: 'char(30) character set utf8mb4 collate utf8mb4_bin', value: text(10) },
  { type: 'longtext character set utf8mb4', value: text(500) },
  { type: 'text character set latin1', value: text(100) },
  { type: 'varchar(60) character set utf16', value: text(20) },
  { type: 'varchar(60) character set sjis', value: bytes(20).map((value) => `convert(${value} using sjis)`) },
  { type: 'text character set gbk', value: bytes(40).map((value) => `convert(${value} using gbk)`) },
  {
    type: 'varchar(40) character set cp1251',
    value: bytes(30).map((value) => `convert(${value} using cp1251)`),
  },
  { type: 'varchar(20) character set ucs2', value: text(10) },
  { type: "enum('a','ö','it''s')", value: fc.constantFrom('1', '2', '3', "'nonsense'") },
  // Not 'y' and 'ü': latin1_swedish_ci takes them for one, which only a lenient server lets one declare.
  { type: "set('x','y','ö')", value: fc.nat(7).map(String) },
  { type: 'varbinary(300)', value: bytes(300) },
  { type: 'binary(7)', value: bytes(7) },
  { type: 'longblob', value: bytes(2000) },
  {
    type: 'json',
    value: fc
      .json({ noUnicodeString: false } as object)
      .map((value) => `_utf8mb4 ${hex(Buffer.from(value.replace(/[\ud800-\udfff]/g, ''), 'utf8'))}`),
  },
  { type: 'uuid', value: fc.uuid({ version: 4 }).map((value) => `'${value}'`) },
  {
    type: 'inet6',
    value: fc
      .ipV6()
      .filter((value) => !/\d+\.\d+/.test(value))
      .map((value) => `'${value}'`),
  },
  {
    type: 'geometry',
    value: fc
      .tuple(fc.integer(), fc.integer(), fc.nat(9999))
      .map(([x, y, srid]) => `st_geomfromtext('point(${x} ${y})', ${srid})`),
  },
];

const table = fc.subarray([...KINDS], { minLength: 4, maxLength: 14 }).chain((kinds) =>
  fc.record({
    kinds: fc.constant(kinds),
    keyed: fc.boolean(),
    rows: fc.array(fc.tuple(...kinds.map(({ value }) => fc.option(value, { freq: 6, nil: 'null' }))), {
      maxLength: 12,
    }),
  }),
);

describe.skipIf(missing)('random rows of random types', () => {
  let server: MariadbServer;
  beforeAll(async () => {
    server = await MariadbServer.start();
  }, 120_000);
  afterAll(() => server[Symbol.asyncDispose]());

  test('survive a backup and a restore: the server sums them up the same', async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(table, fc.boolean(), async ({ kinds, keyed, rows }, localInfile) => {
        const name = `random${run++}`;
        const columns = kinds.map(({ type }, i) => `c${i} ${type}`).join(', ');
        const values = rows.map((row, i) => `(${[i, ...row].join(', ')})`);
        // Lenient, as some values are meant to be changed on their way in, and once only.
        await server.query(`create database ${name}; use ${name}; set time_zone = '+00:00'; set sql_mode = 'ALLOW_INVALID_DATES';
          create table t (id int not null, ${columns}${keyed ? ', primary key (id)' : ''});
          ${values.length > 0 ? `insert ignore into t values ${values.join(', ')};` : ''}`);
        await restore(server, name, `${name}_copy`, { sink: { localInfile } });
        const sums = kinds.map((_, i) => `sum(crc32(concat(id, ifnull(hex(c${i}), 'null'))))`);
        const sql = `checksum table t; select count(*), ${sums.join(', ')} from t`;
        const [source, copy] = [await server.query(sql, name), await server.query(sql, `${name}_copy`)];
        expect(copy).toEqual(source);
        const [first, second] = await Promise.all(
          [name, `${name}_copy`].map((each) => server.query('checksum table t', each)),
        );
        expect(second![0].Checksum).toBe(first![0].Checksum);
        await server.query(`drop database ${name}; drop database ${name}_copy`);
      }),
      { numRuns: 40 },
    );
  }, 120_000);
});

describe('quoting', () => {
  const sql = fc.string({
    unit: fc.constantFrom('`', "'", '"', '\\', 'a', '.', ' ', 'NOT NULL', '`db`.', '\n'),
  });

  test('a quoted name is one name, whatever is in it', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (name, rest) => {
        const after = rest.startsWith('`') ? ` ${rest}` : rest;
        expect(endOfQuoted(quoteName(name) + after, 0)).toBe(quoteName(name).length);
      }),
    );
  });

  test('what is quoted stays as it is, and all else is seen once', () => {
    fc.assert(
      fc.property(sql, (text) => {
        expect(mapUnquoted(text, (piece) => piece)).toBe(text);
        expect(requalify(text, 'db', 'db')).toBe(text);
      }),
    );
    expect(
      mapUnquoted("`a NOT NULL` char(3) NOT NULL DEFAULT 'NOT NULL'", (piece) =>
        piece.replace('NOT NULL', 'NULL'),
      ),
    ).toBe("`a NOT NULL` char(3) NULL DEFAULT 'NOT NULL'");
  });

  test('another database is named only where one is', () => {
    expect(
      requalify("select `db`.`t`.`db` AS `db`, '`db`.`t`', `x`.`db`.`y` from `db`.`t`", 'db', 'new'),
    ).toBe("select `new`.`t`.`db` AS `db`, '`db`.`t`', `x`.`db`.`y` from `new`.`t`");
  });

  test('the counter is taken from the options alone', () => {
    const create =
      "CREATE TABLE `t` (\n  `a` int COMMENT '\\n) ENGINE=InnoDB AUTO_INCREMENT=3'\n) ENGINE=InnoDB AUTO_INCREMENT=77 DEFAULT CHARSET=latin1 COMMENT='AUTO_INCREMENT=5'";
    expect(withoutCounter(create)).toBe(create.replace(' AUTO_INCREMENT=77', ''));
  });

  test('lines for LOAD DATA hold each byte, escaped', () => {
    const plain = (line: string): string | null =>
      line === '\\N'
        ? null
        : line.replace(/\\(.)/gs, (_, c: string) => (c === 't' ? '\t' : c === 'n' ? '\n' : c));
    const field = fc.option(
      fc
        .uint8Array({ maxLength: 400 })
        .map((value) => Buffer.from(value.map((byte) => (byte < 64 ? [9, 10, 92, 78][byte % 4]! : byte)))),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(field, field), { maxLength: 5 }), (rows) => {
        const { text, rows: count } = loadTextOf(Buffer.concat(rows.map((row) => encodeTuple(row))), 2);
        const lines = text
          .toString('latin1')
          .split(/(?<=(?<!\\)(?:\\\\)*)\n/)
          .slice(0, -1);
        expect(count).toBe(rows.length);
        expect(lines.map((line) => line.split('\t').map(plain))).toEqual(
          rows.map((row) => row.map((each) => each?.toString('latin1') ?? null)),
        );
      }),
    );
  });
});

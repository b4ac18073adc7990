import fc from 'fast-check';
import type { BinaryTypeName } from '../../src/export/binary-types.ts';

/** Values as somebody would type them; the server decides what they mean. */
type Literal = fc.Arbitrary<string>;

const int = (bits: number): Literal => {
  const half = 2n ** BigInt(bits - 1);
  return fc.oneof(fc.bigInt({ min: -half, max: half - 1n }), fc.bigInt({ min: -9n, max: 9n })).map(String);
};

const text: Literal = fc
  .oneof(
    fc.string({ unit: 'grapheme', maxLength: 20 }),
    fc.string({ maxLength: 20 }),
    fc.constantFrom(
      '',
      'NULL',
      'null',
      ' ',
      'a b',
      '{',
      '"',
      '\\',
      'à la carte',
      ',',
      ';',
      '\t',
      '\n',
      '\v',
      '\u00a0',
      '\\N',
    ),
  )
  .map((value) => value.replaceAll('\0', '').toWellFormed());

const digits = (max: number): Literal => fc.stringMatching(new RegExp(`^[0-9]{1,${max}}$`));

const numeric: Literal = fc.oneof(
  fc
    .tuple(fc.constantFrom('', '-'), digits(40), fc.option(digits(40)))
    .map(([s, a, b]) => s + a + (b === null ? '' : `.${b}`)),
  fc.tuple(digits(5), fc.integer({ min: -60, max: 60 })).map(([a, e]) => `${a}e${e}`),
  fc.constantFrom(
    'NaN',
    'Infinity',
    '-Infinity',
    '0',
    '0.000',
    '-0.00',
    '10000',
    '0.0001',
    '100000000',
    '0.00000001',
    '1e-200',
    '1e200',
  ),
);

const special = [
  'NaN',
  'Infinity',
  '-Infinity',
  '0',
  '-0',
  '1e23',
  '9007199254740993',
  '5e-324',
  '1.7976931348623157e308',
];
const shapes = [
  '100000',
  '1000000',
  '999999',
  '0.0001',
  '0.00001',
  '1e15',
  '1e14',
  '123456789012345',
  '123456789012345.6',
];

/** Any bits, and those near what the layout changes at. */
const float8: Literal = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((bits) => {
    const view = new DataView(new ArrayBuffer(8));
    view.setBigUint64(0, bits);
    return String(view.getFloat64(0));
  }),
  // Doubles above 2^53, and powers of two with their neighbours: where decimals lie in the middle of two of them.
  fc
    .tuple(fc.integer({ min: 48, max: 90 }), fc.double({ min: 1, max: 2, noNaN: true }))
    .map(([e, m]) => String(m * 2 ** e)),
  fc.tuple(fc.integer({ min: -1074, max: 1023 }), fc.constantFrom(-1n, 0n, 1n)).map(([e, step]) => {
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, 2 ** e);
    view.setBigInt64(0, view.getBigInt64(0) + step);
    return String(view.getFloat64(0));
  }),
  fc.tuple(fc.integer({ min: 1, max: 999 }), fc.integer({ min: 15, max: 30 })).map(([m, e]) => `${m}e${e}`),
  fc.constantFrom(...special, ...shapes),
);

const float4: Literal = fc.oneof(
  fc.nat({ max: 2 ** 32 - 1 }).map((bits) => {
    const view = new DataView(new ArrayBuffer(4));
    view.setUint32(0, bits);
    return String(view.getFloat32(0));
  }),
  fc.integer({ min: -149, max: 127 }).map((e) => String(2 ** e)),
  fc
    .tuple(fc.integer({ min: 20, max: 40 }), fc.double({ min: 1, max: 2, noNaN: true }))
    .map(([e, m]) => String(Math.fround(m * 2 ** e))),
  fc.constantFrom('NaN', 'Infinity', '-Infinity', '-0', '3.4028235e38', '1e-45', ...shapes),
);

const two = (value: number): string => String(value).padStart(2, '0');
const plainDate: Literal = fc
  .tuple(
    fc.oneof(fc.integer({ min: 1, max: 4000 }), fc.integer({ min: 1600, max: 2100 })),
    fc.integer({ min: 1, max: 12 }),
    fc.integer({ min: 1, max: 28 }),
  )
  .map(([y, m, d]) => `${String(y).padStart(4, '0')}-${two(m)}-${two(d)}`);
const era = (value: Literal): Literal =>
  fc.tuple(value, fc.constantFrom('', '', ' BC')).map((parts) => parts.join(''));
const fraction: Literal = fc.constantFrom('', '.5', '.000001', '.123456', '.100000', '.999999');
const time: Literal = fc.oneof(
  fc
    .tuple(fc.nat({ max: 23 }), fc.nat({ max: 59 }), fc.nat({ max: 59 }), fraction)
    .map(([h, m, s, f]) => `${two(h)}:${two(m)}:${two(s)}${f}`),
  fc.constantFrom('24:00:00', '00:00:00', '23:59:59.999999'),
);
const date: Literal = fc.oneof(
  { weight: 9, arbitrary: era(plainDate) },
  fc.constantFrom(
    'infinity',
    '-infinity',
    '2000-02-29',
    '1900-02-28',
    '0004-02-29 BC',
    '5874897-12-31',
    '4714-11-24 BC',
  ),
);
const timestamp: Literal = fc.oneof(
  { weight: 9, arbitrary: era(fc.tuple(plainDate, time).map((parts) => parts.join(' '))) },
  fc.constantFrom(
    'infinity',
    '-infinity',
    '294276-12-31 23:59:59.999999',
    '4714-11-24 00:00:00 BC',
    '1999-12-31 23:59:59.999999',
  ),
);
const zone: Literal = fc
  .tuple(fc.constantFrom('+', '-'), fc.nat({ max: 15 }), fc.constantFrom('', ':30', ':59:59', ':00:01'))
  .map(([s, h, rest]) => s + two(h) + rest);
const timetz: Literal = fc.tuple(time, zone).map((parts) => parts.join(''));
const interval: Literal = fc.oneof(
  fc
    .tuple(
      fc.integer({ min: -400, max: 400 }),
      fc.integer({ min: -50, max: 50 }),
      fc.constantFrom('', '-', '+'),
      fc.nat({ max: 50_000 }),
      time,
    )
    .map(([m, d, s, h, t]) => `${m} months ${d} days ${s}${h}${t.slice(2)}`),
  fc.constantFrom(
    '0',
    '1 day',
    '-1 day',
    '1 mon',
    '1 year',
    '-1 year +1 day',
    '-1 day 00:00:01',
    '1 day -00:00:01',
    '-00:00:00.5',
    '2147483647 days',
    '-2147483648 months',
    'infinity',
    '-infinity',
  ),
);

const point: Literal = fc.tuple(float8, float8).map(([x, y]) => `(${x},${y})`);
const finite: Literal = fc.integer({ min: -1e9, max: 1e9 }).map((value) => String(value / 128));
const points = fc.array(point, { minLength: 1, maxLength: 5 }).map((list) => list.join(','));

const word = fc.nat({ max: 65_535 }).map((w) => w.toString(16));
const version6: Literal = fc.oneof(
  fc.array(fc.oneof(fc.constant('0'), word), { minLength: 8, maxLength: 8 }).map((words) => words.join(':')),
  fc.constantFrom(
    '::',
    '::1',
    '::2',
    '1::',
    '::ffff:1.2.3.4',
    '::1.2.3.4',
    '::1:0',
    '1:0:0:2::3',
    '1:0:2:3:4:5:6:7',
    'ff02::1',
    '0:0:1::',
  ),
);
const version4: Literal = fc.ipV4();
const inet: Literal = fc.oneof(
  version4,
  version6,
  fc.tuple(version4, fc.nat({ max: 32 })).map((parts) => parts.join('/')),
  fc.tuple(version6, fc.nat({ max: 128 })).map((parts) => parts.join('/')),
);
const hexBytes = (length: number): Literal =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => Buffer.from(bytes).toString('hex'));

const range = (bound: Literal, compare: (a: string, b: string) => number): Literal =>
  fc.oneof(
    { weight: 1, arbitrary: fc.constant('empty') },
    {
      weight: 6,
      arbitrary: fc
        .tuple(fc.option(bound), fc.option(bound), fc.constantFrom('[', '('), fc.constantFrom(']', ')'))
        .map(([a, b, open, close]) => {
          const [low, high] = a !== null && b !== null && compare(a, b) > 0 ? [b, a] : [a, b];
          const quoted = (value: string | null) => (value === null ? '' : `"${value}"`);
          return `${open}${quoted(low)},${quoted(high)}${close}`;
        }),
    },
  );
const byNumber = (a: string, b: string): number => Number(a) - Number(b);
const byText = (a: string, b: string): number => (a < b ? -1 : 1);
const small = int(32).map((value) => String(Number(value) % 1_000_000_000));
const finiteNumeric = fc.tuple(fc.integer(), digits(6)).map((parts) => parts.join('.'));
const plainTimestamp = fc.oneof(fc.tuple(plainDate, time).map((parts) => parts.join(' ')));
const multirange = (of: Literal): Literal =>
  fc.array(of, { maxLength: 4 }).map((list) => `{${list.join(',')}}`);
const int4range = range(small, byNumber);
const int8range = range(int(60), (a, b) => (BigInt(a) < BigInt(b) ? -1 : 1));
const numrange = range(finiteNumeric, byNumber);
const tsrange = range(plainTimestamp, byText);
const daterange = range(plainDate, byText);

const json: Literal = fc.json({ maxDepth: 2 }).map((value) => value.replaceAll('\\u0000', ''));

export const LITERALS: Readonly<Record<BinaryTypeName, Literal>> = {
  bool: fc.constantFrom('t', 'f'),
  bytea: fc.uint8Array({ maxLength: 30 }).map((bytes) => `\\x${Buffer.from(bytes).toString('hex')}`),
  char: fc.constantFrom('', 'a', ' ', '"', '\\', ','),
  name: text.map((value) => value.slice(0, 15)),
  int8: int(64),
  int2: int(16),
  int4: int(32),
  text,
  oid: fc.nat({ max: 2 ** 32 - 1 }).map(String),
  json,
  xml: text.map((value) => `<a b="${value.replace(/[^a-z à]/g, '')}"/>`),
  point,
  lseg: fc.tuple(point, point).map(([a, b]) => `[${a},${b}]`),
  path: fc.tuple(points, fc.boolean()).map(([list, closed]) => (closed ? `(${list})` : `[${list}]`)),
  box: fc.tuple(point, point).map((parts) => parts.join(',')),
  polygon: points.map((list) => `(${list})`),
  line: fc
    .tuple(
      finite,
      finite.filter((b) => Number(b) !== 0),
      finite,
    )
    .map((parts) => `{${parts.join(',')}}`),
  cidr: fc.oneof(
    fc
      .tuple(fc.constantFrom('10.0.0.0', '192.168.0.0', '0.0.0.0'), fc.integer({ min: 16, max: 32 }))
      .map((parts) => parts.join('/')),
    version6,
    fc.constantFrom('fe80::/10', '::/0', '0.0.0.0/0'),
  ),
  float4,
  float8,
  circle: fc.tuple(point, fc.double({ min: 0, noNaN: true }).map(String)).map(([p, r]) => `<${p},${r}>`),
  macaddr8: hexBytes(8),
  macaddr: hexBytes(6),
  inet,
  bpchar: text,
  varchar: text,
  date,
  time,
  timestamp,
  timestamptz: timestamp,
  interval,
  timetz,
  bit: fc.constantFrom('0', '1'),
  varbit: fc.stringMatching(/^[01]{0,20}$/),
  numeric,
  uuid: fc.uuid(),
  pg_lsn: fc.tuple(fc.nat(), fc.nat()).map(([a, b]) => `${a.toString(16)}/${b.toString(16)}`),
  tsvector: fc
    .array(
      fc.tuple(
        text,
        fc.array(fc.tuple(fc.integer({ min: 1, max: 16_383 }), fc.constantFrom('', 'A', 'B', 'C', 'D')), {
          maxLength: 3,
        }),
      ),
      { maxLength: 4 },
    )
    .map((lexemes) =>
      lexemes
        .filter(([lexeme]) => lexeme !== '')
        .map(
          ([lexeme, places]) =>
            `'${lexeme.replace(/['\\]/g, '$&$&')}'${places.length ? ':' : ''}${places.map((p) => p.join('')).join(',')}`,
        )
        .join(' '),
    ),
  jsonb: json,
  int4range,
  numrange,
  tsrange,
  tstzrange: tsrange,
  daterange,
  int8range,
  int4multirange: multirange(int4range),
  nummultirange: multirange(numrange),
  tsmultirange: multirange(tsrange),
  tstzmultirange: multirange(tsrange),
  datemultirange: multirange(daterange),
  int8multirange: multirange(int8range),
};

const quotedItem = (item: string | null): string =>
  item === null ? 'NULL' : `"${item.replace(/["\\]/g, '\\$&')}"`;

/** Arrays of one or two dimensions, some of which do not begin at 1. */
export const arrayOf = (element: Literal, delimiter: string): Literal =>
  fc
    .record({
      rows: fc.integer({ min: 1, max: 3 }),
      columns: fc.nat({ max: 4 }),
      items: fc.array(fc.option(element, { freq: 6 }), { minLength: 12, maxLength: 12 }),
      lower: fc.constantFrom('', '', '0', '-3', '5'),
    })
    .map(({ rows, columns, items, lower }) => {
      if (columns === 0) return '{}';
      const row = (i: number) =>
        `{${items
          .slice(4 * i, 4 * i + columns)
          .map(quotedItem)
          .join(delimiter)}}`;
      const flat = rows === 1;
      const body = flat ? row(0) : `{${Array.from({ length: rows }, (_, i) => row(i)).join(delimiter)}}`;
      if (lower === '') return body;
      const bound = (length: number) => `[${lower}:${Number(lower) + length - 1}]`;
      return `${flat ? '' : bound(rows)}${bound(columns)}=${body}`;
    });

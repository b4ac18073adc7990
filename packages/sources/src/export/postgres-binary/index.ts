import { BINARY_TYPES_BY_NAME, type BinaryTypeName } from '../binary-types.ts';
import { arrayText, type Decoder, multirangeText, rangeText, whole } from './containers.ts';
import { dateText, intervalText, timestampText, timeText, timetzText } from './dates.ts';
import { broken, type FieldBytes } from './field-bytes.ts';
import { float4Text, float8Text } from './float-text.ts';
import { boxText, circleText, lineText, lsegText, pathText, pointText, polygonText } from './geometry.ts';
import { cidrText, inetText, macaddrText } from './network.ts';
import { numericText } from './numbers.ts';
import { tsvectorText } from './text-search.ts';

const text: Decoder = (field) => field.byteString();
const int4: Decoder = (field) => String(field.int32());
const int8: Decoder = (field) => String(field.int64());
const timestamp: Decoder = (field) => timestampText(field);
const timestamptz: Decoder = (field) => timestampText(field, '+00');

/** Zero is no character; one beyond ASCII is not known to be text in the database's encoding. */
function charText(field: FieldBytes): string {
  const byte = field.uint8();
  if (byte === 0) return '';
  return byte < 128 ? String.fromCharCode(byte) : `\\${byte.toString(8)}`;
}

function bitText(field: FieldBytes): string {
  const bits = field.int32();
  if (bits < 0 || Math.ceil(bits / 8) !== field.left) throw broken('has another number of bits than it says');
  return Array.from(field.bytes(), (byte) => byte.toString(2).padStart(8, '0'))
    .join('')
    .slice(0, bits);
}

function uuidText(field: FieldBytes): string {
  return [4, 2, 2, 2, 6].map((length) => field.hex(length)).join('-');
}

function jsonbText(field: FieldBytes): string {
  if (field.uint8() !== 1) throw broken('is jsonb of an unknown version');
  return field.byteString();
}

function lsnText(field: FieldBytes): string {
  const [high, low] = [field.uint32(), field.uint32()];
  return `${high.toString(16)}/${low.toString(16)}`.toUpperCase();
}

const DECODERS: Readonly<Record<BinaryTypeName, Decoder>> = {
  bool: (field) => (field.uint8() === 0 ? 'f' : 't'),
  bytea: (field) => `\\x${field.hex()}`,
  char: charText,
  name: text,
  int8,
  int2: (field) => String(field.int16()),
  int4,
  text,
  oid: (field) => String(field.uint32()),
  json: text,
  xml: text,
  point: pointText,
  lseg: lsegText,
  path: pathText,
  box: boxText,
  polygon: polygonText,
  line: lineText,
  cidr: cidrText,
  float4: (field) => float4Text(field.float4()),
  float8: (field) => float8Text(field.float8()),
  circle: circleText,
  macaddr8: (field) => macaddrText(field, 8),
  macaddr: (field) => macaddrText(field, 6),
  inet: inetText,
  bpchar: text,
  varchar: text,
  date: dateText,
  time: timeText,
  timestamp,
  timestamptz,
  interval: intervalText,
  timetz: timetzText,
  bit: bitText,
  varbit: bitText,
  numeric: numericText,
  uuid: uuidText,
  pg_lsn: lsnText,
  tsvector: tsvectorText,
  jsonb: jsonbText,
  int4range: rangeText(int4),
  numrange: rangeText(numericText),
  tsrange: rangeText(timestamp),
  tstzrange: rangeText(timestamptz),
  daterange: rangeText(dateText),
  int8range: rangeText(int8),
  int4multirange: multirangeText(int4),
  nummultirange: multirangeText(numericText),
  tsmultirange: multirangeText(timestamp),
  tstzmultirange: multirangeText(timestamptz),
  datemultirange: multirangeText(dateText),
  int8multirange: multirangeText(int8),
};

/**
 * By oid: from a field's binary representation to the text that the type's output function writes under the settings of
 * docs/specs/rows.md, as a string of one character for each byte (`latin1`), since that text may be of any encoding.
 * FORMAT_INVALID for bytes that the type's send function would not write.
 */
export const BINARY_TYPES: ReadonlyMap<number, (bytes: Uint8Array) => string> = new Map(
  BINARY_TYPES_BY_NAME.flatMap(([name, oid, arrayOid]) => {
    const decode = DECODERS[name];
    const array = arrayText(oid, decode, name === 'box' ? ';' : ',');
    return [
      [oid, (bytes: Uint8Array) => whole(bytes, decode)],
      [arrayOid, (bytes: Uint8Array) => whole(bytes, array)],
    ] as const;
  }),
);

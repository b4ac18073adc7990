import type { Attributes, AttributeValue } from '@holdfast/contracts';
import type { CborValue } from './cbor.ts';
import { bytesOf, type FieldReader, mapOf, refuse } from './fields.ts';

/**
 * CBOR has one kind of integer and our subset no floats, but sources get back exactly what they gave. So a bigint is a
 * list of one integer, and a double that is no safe integer a list of its eight IEEE 754 bytes, most significant first.
 */
export function attributesToCbor(attributes: Attributes): CborValue {
  return Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, attributeToCbor(value)]));
}

function attributeToCbor(value: AttributeValue): CborValue {
  if (typeof value === 'bigint') return [value];
  // NaN and infinities stay as they are, and canonical CBOR refuses them.
  if (typeof value !== 'number' || isPlainInteger(value) || !Number.isFinite(value)) return value;
  return [doubleToBytes(value)];
}

export const attributes: FieldReader<Attributes> = (value) =>
  Object.fromEntries(Object.entries(mapOf(value)).map(([key, item]) => [key, attribute(item)]));

const attribute: FieldReader<AttributeValue> = (value) => {
  if (Array.isArray(value)) return boxed(value);
  if (typeof value === 'bigint') return refuse('has an attribute beyond the safe integers');
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value;
  return refuse('has an attribute that is a map');
};

function boxed(box: readonly CborValue[]): bigint | number {
  const [value] = box;
  if (box.length !== 1 || value === undefined) return refuse('has an attribute that is a list');
  if (typeof value === 'bigint' || typeof value === 'number') return BigInt(value);
  const eight = eightBytes(value);
  const double = new DataView(eight.buffer, eight.byteOffset).getFloat64(0);
  if (!Number.isFinite(double) || isPlainInteger(double))
    refuse('has an attribute with a double that is none');
  return double;
}

const eightBytes = bytesOf(8);

/** Minus zero is a safe integer for JavaScript but not for CBOR. */
const isPlainInteger = (value: number): boolean => Number.isSafeInteger(value) && !Object.is(value, -0);

function doubleToBytes(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value);
  return bytes;
}

import {
  bytesToUuid,
  HoldfastError,
  type PartitionId,
  type PeerId,
  peerIdFromKey,
  type SnapshotId,
  toHex,
} from '@holdfast/contracts';
import type { CborValue } from './cbor.ts';

/** Turns a decoded value into what it should be, or throws a `FieldError` through `refuse`. */
export type FieldReader<T> = (value: CborValue) => T;

class FieldError extends Error {
  path = '';
}

/** Ends reading: the value is not what the format says. */
export function refuse(reason: string): never {
  throw new FieldError(reason);
}

/** Runs a reader over a whole object; FORMAT_INVALID names the object and the field. */
export function readFields<T>(value: CborValue, what: string, reader: FieldReader<T>): T {
  try {
    return reader(value);
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    const where = error.path === '' ? '' : ` field ${error.path}`;
    throw new HoldfastError('FORMAT_INVALID', `${what}:${where} ${error.message}`);
  }
}

/** Runs the reader over what is about to be written: better to fail now than at a restore. */
export function checked(value: CborValue, what: string, reader: FieldReader<unknown>): CborValue {
  readFields(value, `${what}, about to be written`, reader);
  return value;
}

function within<T>(name: string | number, value: CborValue, reader: FieldReader<T>): T {
  try {
    return reader(value);
  } catch (error) {
    if (error instanceof FieldError) error.path = error.path === '' ? `${name}` : `${name}.${error.path}`;
    throw error;
  }
}

export const uint =
  (max = Number.MAX_SAFE_INTEGER, min = 0): FieldReader<number> =>
  (value) =>
    typeof value === 'number' && value >= min && value <= max
      ? value
      : refuse(`is not an integer from ${min} to ${max}`);

/** @param max Most UTF-16 units. */
export const textOf =
  (max: number): FieldReader<string> =>
  (value) =>
    typeof value === 'string' && value.length <= max
      ? value
      : refuse(`is not text of at most ${max} characters`);

export const bytesOf =
  (min: number, max = min): FieldReader<Uint8Array> =>
  (value) =>
    value instanceof Uint8Array && value.length >= min && value.length <= max
      ? value
      : refuse(`is not a byte string of ${min === max ? min : `${min} to ${max}`} bytes`);

export const flag: FieldReader<boolean> = (value) =>
  typeof value === 'boolean' ? value : refuse('is not a boolean');

const bytes16 = bytesOf(16);
const bytes32 = bytesOf(32);

/** 32 bytes as a hex id of the brand asked for. */
export const hexOf =
  <T extends string>(): FieldReader<T> =>
  (value) =>
    toHex(bytes32(value)) as T;
export const partitionId: FieldReader<PartitionId> = (value) => bytesToUuid(bytes16(value)) as PartitionId;
export const snapshotId: FieldReader<SnapshotId> = (value) => bytesToUuid(bytes16(value)) as SnapshotId;
export const peerId: FieldReader<PeerId> = (value) => peerIdFromKey(bytes32(value));

export const oneOf =
  <T extends CborValue>(...allowed: readonly T[]): FieldReader<T> =>
  (value) =>
    allowed.includes(value as T) ? (value as T) : refuse(`is none of ${allowed.join(', ')}`);

/** A position in a list of words: what the list's order means is frozen with the format. */
export const indexInto =
  <T>(words: readonly T[]): FieldReader<T> =>
  (value) =>
    typeof value === 'number' && value >= 0 && value < words.length
      ? words[value]!
      : refuse('names no known kind');

export const orNull =
  <T>(reader: FieldReader<T>): FieldReader<T | null> =>
  (value) =>
    value === null ? null : reader(value);

export const listOf =
  <T>(reader: FieldReader<T>, max: number): FieldReader<T[]> =>
  (value) => {
    if (!Array.isArray(value)) refuse('is not a list');
    const items = value as readonly CborValue[];
    if (items.length > max) refuse(`has ${items.length} items; at most ${max} are allowed`);
    return items.map((item, i) => within(i, item, reader));
  };

type Readers<T extends readonly unknown[]> = { readonly [K in keyof T]: FieldReader<T[K]> };

/** A list whose positions have meanings of their own. */
export const tupleOf =
  <T extends readonly unknown[]>(...readers: Readers<T>): FieldReader<T> =>
  (value) => {
    if (!Array.isArray(value) || value.length !== readers.length)
      refuse(`is not a list of ${readers.length} items`);
    const items = value as readonly CborValue[];
    return readers.map((reader, i) => within(i, items[i]!, reader)) as unknown as T;
  };

/** A map with exactly these keys. */
export const recordOf =
  <T>(readers: { readonly [K in keyof T]: FieldReader<T[K]> }): FieldReader<T> =>
  (value) => {
    const fields = mapOf(value);
    const unknown = Object.keys(fields).find((key) => !Object.hasOwn(readers, key));
    if (unknown !== undefined) refuse(`has the unknown key ${JSON.stringify(unknown.slice(0, 40))}`);
    const entries = Object.entries<FieldReader<unknown>>(readers).map(([key, reader]) => {
      if (!Object.hasOwn(fields, key)) refuse(`lacks the key ${key}`);
      return [key, within(key, fields[key]!, reader)] as const;
    });
    return Object.fromEntries(entries) as T;
  };

export function mapOf(value: CborValue): { readonly [key: string]: CborValue } {
  const isMap =
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
  return isMap ? (value as { readonly [key: string]: CborValue }) : refuse('is not a map');
}

import { decodeCanonical, encodeCanonical } from '../cbor.ts';
import {
  bytesOf,
  checked,
  type FieldReader,
  listOf,
  readFields,
  recordOf,
  refuse,
  tupleOf,
  uint,
} from '../fields.ts';

/** A place where a row begins: so that one need not read from the start to find a key. */
export interface RowsSample {
  /** Bytes of content before the row. */
  readonly offset: number;
  /** Rows before it. */
  readonly row: number;
  /** The row's key alone, as a tuple. */
  readonly key: Uint8Array;
}

/** What is known of an object of kind `rows` once it has been read: the content of the object `rows-index` behind it. */
export interface RowsIndex {
  readonly rows: number;
  /** Sum of the rows' hashes, 16 bytes: the same whatever their order. */
  readonly checksum: Uint8Array;
  /** In ascending order; the first row that begins a new run of `SAMPLE_BYTES` is one. Empty without a key. */
  readonly samples: readonly RowsSample[];
}

/** About this many bytes of content lie between samples. */
export const SAMPLE_BYTES = 1024 * 1024;

const MAX_SAMPLES = 2 ** 26;
const MAX_KEY_BYTES = 64 * 1024;
const MAX_BYTES = 2 ** 31 - 1;
const WHAT = 'An index of rows';

const sampleFrom = tupleOf(uint(), uint(), bytesOf(2, MAX_KEY_BYTES));

const indexFields = recordOf<{
  rows: number;
  checksum: Uint8Array;
  samples: (readonly [number, number, Uint8Array])[];
}>({
  rows: uint(),
  checksum: bytesOf(16),
  samples: listOf(sampleFrom, MAX_SAMPLES),
});

const indexFrom: FieldReader<RowsIndex> = (value) => {
  const { samples, ...facts } = indexFields(value);
  for (const [i, [offset, row]] of samples.entries()) {
    const before = samples[i - 1];
    if (before && (before[0] >= offset || before[1] >= row)) refuse('has samples out of order');
    if (row >= facts.rows) refuse('has a sample behind its last row');
  }
  return { ...facts, samples: samples.map(([offset, row, key]) => ({ offset, row, key })) };
};

/** INTERNAL or FORMAT_INVALID when it breaks the format. */
export function encodeRowsIndex({ rows, checksum, samples }: RowsIndex): Uint8Array {
  const value = { rows, checksum, samples: samples.map(({ offset, row, key }) => [offset, row, key]) };
  return encodeCanonical(checked(value, WHAT, indexFrom));
}

/** FORMAT_INVALID. */
export function decodeRowsIndex(bytes: Uint8Array): RowsIndex {
  return readFields(decodeCanonical(bytes, { what: WHAT, maxBytes: MAX_BYTES }), WHAT, indexFrom);
}

import { encodeTuple } from '../../packages/sources/src/rows/tuple-splitter.ts';
import { fillNoise } from '../harness/noise.ts';

export const FIELDS = 4;
const BYTES_OF_ALL = 8 * 1024 * 1024;

/** Rows of a key of eight bytes, two numbers of four, and letters, `bytes` long as tuples. */
export function rowTuples(bytes: number): Buffer[] {
  const letters = Buffer.alloc(BYTES_OF_ALL);
  fillNoise(letters, bytes);
  for (let i = 0; i < letters.length; i++) letters[i] = 97 + (letters[i]! % 26);
  return Array.from({ length: Math.floor(BYTES_OF_ALL / bytes) }, (_, i) => {
    const key = Buffer.alloc(8);
    key.writeBigInt64BE(BigInt(i));
    const text = letters.subarray(i * bytes, (i + 1) * bytes - FIXED_BYTES);
    return encodeTuple([key, key.subarray(4), key.subarray(4), text]);
  });
}

const FIXED_BYTES = 2 + 4 * FIELDS + 8 + 4 + 4;

/** As a server sends them: a message for each row. */
export function binaryStream(tuples: readonly Buffer[]): Buffer {
  const header = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
  return Buffer.concat([message(header), ...tuples.map(message), message(Buffer.from([0xff, 0xff]))]);
}

/** The same text fields, and numbers in decimal. */
export function textStream(tuples: readonly Buffer[]): Buffer {
  const lines = tuples.map((tuple, i) => `${i}\t${i}\t${i}\t${tuple.subarray(FIXED_BYTES)}\n`);
  return Buffer.concat(lines.map((line) => message(Buffer.from(line))));
}

function message(payload: Buffer): Buffer {
  const header = Buffer.from('d\0\0\0\0');
  header.writeUInt32BE(payload.length + 4, 1);
  return Buffer.concat([header, payload]);
}

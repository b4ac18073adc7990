import { MAX_ROW_BYTES } from '@holdfast/contracts';
import {
  decodeRowsDescription,
  decodeRowsIndex,
  encodeRowsDescription,
  encodeRowsIndex,
} from '@holdfast/formats/rows';
import { rowsDescription, rowsIndex } from '../../../../packages/formats/test/compat-values.ts';
import { copyTextOf } from '../../../../packages/sources/src/rows/copy-text.ts';
import { TupleIntake } from '../../../../packages/sources/src/rows/tuple-intake.ts';
import { TupleSplitter } from '../../../../packages/sources/src/rows/tuple-splitter.ts';
import {
  binaryHeader,
  copyData,
  type Row,
  rowsOf,
  TRAILER,
  textLine,
  tupleOf,
} from '../../../../packages/sources/test/rows/row-streams.ts';
import { decoder, RECORDS, type Target, Violation } from '../target.ts';
import { samples } from './samples.ts';

const FIELDS = 2;
const INTO = new Uint8Array(MAX_ROW_BYTES);
const rowKey = new Uint8Array(32);

type Format = 'copy-binary' | 'copy-text' | 'tuples';

const STREAMS: Readonly<Record<Format, (rows: readonly Row[]) => Uint8Array>> = {
  'copy-binary': (rows) => copyData(Buffer.concat([binaryHeader(), ...rows.map(tupleOf), TRAILER])),
  'copy-text': (rows) => Buffer.concat(rows.map((row) => copyData(textLine(row)))),
  tuples: (rows) => Buffer.concat(rows.map(tupleOf)),
};

/** All tuples of a stream that comes in two pieces, up to the first message that is none of COPY's. */
function readAll(format: Format, input: Uint8Array): Buffer {
  const intake = new TupleIntake({ format, fields: FIELDS, keyFields: 1, rowKey });
  const tuples: Buffer[] = [];
  const drain = () => {
    for (let taken = intake.take(INTO); taken; taken = intake.take(INTO)) {
      tuples.push(Buffer.from(INTO.subarray(0, taken.length)));
    }
  };
  const cut = input.length === 0 ? 0 : (input[input.length >> 1]! * 257) % input.length;
  for (const piece of [input.subarray(0, cut), input.subarray(cut)]) {
    for (let at = 0; at < piece.length && !intake.atOther; drain()) at += intake.push(piece.subarray(at));
  }
  intake.end();
  drain();
  return Buffer.concat(tuples);
}

const stream = (format: Format): Target => ({
  name: `rows-${format}`,
  seeds: () => samples(rowsOf(FIELDS, 8)).map(STREAMS[format]),
  refusals: ['SOURCE_UNREADABLE'],
  attempt: (input) => readAll(format, input),
  confirm(tuples: never) {
    const splitter = new TupleSplitter({ fields: FIELDS });
    splitter.push(tuples);
    splitter.end();
  },
});

/** Bytes between sources, sinks and the servers that they talk to. */
export const rowTargets: readonly Target[] = [
  decoder({
    name: 'rows-description',
    seeds: () => [encodeRowsDescription(rowsDescription)],
    decode: decodeRowsDescription,
    encode: encodeRowsDescription,
    allocation: RECORDS,
  }),
  decoder({
    name: 'rows-index',
    seeds: () => [encodeRowsIndex(rowsIndex)],
    decode: decodeRowsIndex,
    encode: encodeRowsIndex,
    allocation: RECORDS,
  }),
  stream('copy-binary'),
  stream('copy-text'),
  stream('tuples'),
  {
    name: 'rows-to-text',
    seeds: () => samples(rowsOf(FIELDS, 8)).map(STREAMS.tuples),
    refusals: ['FORMAT_INVALID'],
    attempt: (input) => Buffer.from(copyTextOf(input, FIELDS)),
    confirm(text: never, input) {
      if (!readAll('copy-text', copyData(text)).equals(input))
        throw new Violation('Its text is read as other tuples.');
    },
  },
];

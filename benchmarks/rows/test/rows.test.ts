import { expect, test } from 'vitest';
import { TupleIntake } from '../../../packages/sources/src/rows/tuple-intake.ts';
import { drained } from '../../../packages/sources/test/rows/row-streams.ts';
import { intakeResults } from '../intake.ts';
import { binaryStream, FIELDS, rowTuples, textStream } from '../streams.ts';

const intake = (format: 'copy-binary' | 'copy-text') =>
  new TupleIntake({ format, fields: FIELDS, keyFields: 1, rowKey: new Uint8Array(32) });

test('the streams hold the rows that are hashed beside them', () => {
  const tuples = rowTuples(2000);
  expect(tuples.every(({ length }) => length === 2000)).toBe(true);
  const { rows } = drained(intake('copy-binary'), [binaryStream(tuples)]);
  expect(Buffer.concat(rows).equals(Buffer.concat(tuples))).toBe(true);
  expect(drained(intake('copy-text'), [textStream(tuples)]).rows.length).toBe(tuples.length);
});

test('each way in has a figure, and a ratio to BLAKE3', async () => {
  const results = await intakeResults(2000, { rounds: 1, milliseconds: 1 });
  expect(results.map(({ name }) => name)).toEqual([
    'COPY binary',
    'COPY text',
    'tuples',
    'to COPY text',
    'BLAKE3 of each row',
  ]);
  for (const { value, ratios, name } of results) {
    expect(value).toBeGreaterThan(0);
    expect(Object.keys(ratios)).toEqual(name === 'BLAKE3 of each row' ? [] : ['BLAKE3 of each row']);
  }
});

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Extent, LedgerGroup } from '@holdfast/formats';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { PreviousRows } from '../src/backup/rows/previous-rows.ts';
import { type LedgerSpan, RowLedger, RowLedgerWriter } from '../src/backup/rows/row-ledger.ts';

const group = (key: number, lengths: number[]): LedgerGroup => ({
  key: [key, key],
  bytes: lengths.reduce((sum, length) => sum + length, 0),
  lengths: Uint32Array.from(lengths),
  hashes: Uint32Array.from(lengths.flatMap((length) => [length, key, 0, 0])),
});
const GROUPS = [group(1, [10, 20]), group(2, [5]), group(3, [1, 2, 3])];
const SIZE = 41;
const extents = (length: number): Extent[] => [{ kind: 'data', partition: 1, frame: 0, offset: 0, length }];

let directory: string;
let path: string;
let span: LedgerSpan;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-ledger-'));
  path = join(directory, 'rows');
  const writer = await RowLedgerWriter.create(path);
  writer.begin();
  for (const each of GROUPS) await writer.add(each);
  span = writer.end();
  await writer.finish();
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function groups(): Promise<(LedgerGroup | null)[]> {
  const ledger = await RowLedger.open(path);
  const previous = await PreviousRows.open(ledger, span, extents(SIZE));
  const found = [];
  for (let i = 0; previous && i < GROUPS.length; i++) found.push(await previous.group(i));
  await ledger.close();
  return found;
}

it('groups come back as they were written, each with its place in the content', async () => {
  expect(await groups()).toEqual(GROUPS.map((each, i) => ({ ...each, offset: [0, 30, 35][i] })));
});

it('is not believed about content of another length', async () => {
  const ledger = await RowLedger.open(path);
  expect(await PreviousRows.open(ledger, span, extents(SIZE))).not.toBeNull();
  expect(await PreviousRows.open(ledger, span, extents(SIZE - 1))).toBeNull();
  expect(await PreviousRows.open(ledger, { start: span.start, end: span.end - 1 }, extents(SIZE))).toBeNull();
  await ledger.close();
});

it('a flipped bit anywhere ends what is known, and never changes it', async () => {
  const whole = await readFile(path);
  for (let bit = 0; bit < 8 * whole.length; bit += 5) {
    const spoilt = Buffer.from(whole);
    spoilt[bit >> 3]! ^= 1 << (bit & 7);
    await writeFile(path, spoilt);
    const found = await groups();
    const good = found.indexOf(null);
    const known = good < 0 ? found : found.slice(0, good);
    expect(known).toEqual(
      GROUPS.slice(0, known.length).map((each, i) => ({ ...each, offset: [0, 30, 35][i] })),
    );
    expect(known.length).toBeLessThan(GROUPS.length);
  }
});

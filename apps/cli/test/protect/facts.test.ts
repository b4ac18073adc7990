import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AttributeValue } from '@holdfast/contracts';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { appendFacts, readFacts } from '../../src/protect/fact-file.ts';
import { factLine, parseFactLine, type SnapshotFacts } from '../../src/protect/fact-line.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-facts-'));
});
afterEach(() => rm(directory, { recursive: true }));

const value: fc.Arbitrary<AttributeValue> = fc.oneof(
  fc.string(),
  fc.maxSafeInteger(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
  fc.boolean(),
  fc.constant(null),
  fc.uint8Array().map((bytes) => new Uint8Array(bytes)),
);

const facts = fc.record({
  id: fc.uuid(),
  kind: fc.constantFrom('postgres-base', 'postgres-wal'),
  attributes: fc.dictionary(fc.stringMatching(/^[a-z]\w*$/), value),
});

test('a line holds every kind of value, and is one line', () => {
  fc.assert(
    fc.property(facts, (each) => {
      const line = factLine(each);
      expect(line.indexOf('\n')).toBe(line.length - 1);
      const back = parseFactLine(line.trimEnd())!;
      expect({ ...back, attributes: { ...back.attributes } }).toEqual({
        ...each,
        attributes: { ...each.attributes },
      });
    }),
  );
});

const one: SnapshotFacts = { id: 'one', kind: 'postgres-wal', attributes: { endLsn: '0/1', lastTime: 1n } };
const two: SnapshotFacts = {
  id: 'two',
  kind: 'postgres-base',
  attributes: { state: new Uint8Array([1, 2]) },
};

test('what is behind half a line is not lost with it', async () => {
  const path = join(directory, 'deep', 'chat.jsonl');
  expect(await readFacts(path)).toEqual(new Map());
  await appendFacts(path, [one]);
  await appendFile(path, factLine({ ...one, id: 'torn' }).slice(0, 30));
  await appendFacts(path, [two]);
  expect(await readFacts(path)).toEqual(
    new Map([
      ['one', one],
      ['two', two],
    ]),
  );
});

test('nonsense is passed over', async () => {
  const path = join(directory, 'chat.jsonl');
  const nonsense = [
    '{}',
    'null',
    '[]',
    '{"id":1}',
    '{"id":"x","kind":"k","attributes":{"a":{"bytes":"?"}}}',
    '\u0000',
  ];
  await writeFile(path, `${nonsense.join('\n')}\n`);
  await appendFacts(path, [one]);
  expect([...(await readFacts(path)).keys()]).toEqual(['one']);
  expect((await readFile(path, 'utf8')).endsWith('\n')).toBe(true);
});

test('a file that cannot be written is named', async () => {
  await writeFile(join(directory, 'taken'), '');
  const path = join(directory, 'taken', 'chat.jsonl');
  await expect(appendFacts(path, [one])).rejects.toMatchObject({ code: 'TARGET_UNWRITABLE' });
});

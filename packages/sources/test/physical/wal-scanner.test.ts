import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PostgresServer } from '@holdfast/testing/servers/postgres-server';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Lsn, parseLsn, parseSegmentName } from '../../src/postgres/wal/lsn.ts';
import { crc32c } from '../../src/postgres/wal/records/crc32c.ts';
import type { WalFacts } from '../../src/postgres/wal/records/record-facts.ts';
import { WalScanner } from '../../src/postgres/wal/records/wal-scanner.ts';

const SEGMENT = 16 * 2 ** 20;
const KEEP = 96 * 8192;

test('CRC-32C of the well-known vectors', () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
  expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43);
});

interface Sample {
  readonly systemId: bigint;
  readonly start: Lsn;
  readonly bytes: Buffer;
  /** What is behind is not flushed yet, or of an earlier use of the file. */
  readonly end: number;
  readonly point: Lsn;
}

/** The segment that a server was writing. */
async function sample(major: 13 | 15 | 17): Promise<Sample> {
  await using server = await PostgresServer.start({ major });
  await server.query('create table t (a int, b text); select pg_switch_wal(); checkpoint');
  for (let i = 0; i < 20; i++) await server.query(`insert into t values (${i}, repeat('x', ${i * 500}))`);
  const [{ point }] = await server.query(`select pg_create_restore_point('here')::text as point`);
  await server.query('insert into t select i, md5(i::text) from generate_series(1, 3000) i');
  const [{ lsn, id }] = await server.query(
    'select pg_current_wal_flush_lsn()::text as lsn, system_identifier::text as id from pg_control_system()',
  );
  const end = parseLsn(lsn);
  const directory = join(server.dataDirectory, 'pg_wal');
  for (const name of await readdir(directory)) {
    const segment = parseSegmentName(name, SEGMENT);
    if (!segment || end < segment.start || end >= segment.start + BigInt(SEGMENT)) continue;
    const length = Math.min(Number(end - segment.start), KEEP);
    const bytes = (await readFile(join(directory, name))).subarray(0, length);
    return { systemId: BigInt(id), start: segment.start, bytes, end: length, point: parseLsn(point) };
  }
  throw new Error('no segment');
}

const scanner = (from: Sample, at = from.start, state: Uint8Array | null = null): WalScanner =>
  new WalScanner({ systemId: from.systemId, timeline: 1, segmentBytes: SEGMENT, at, state });

describe.each([13, 15, 17] as const)('WAL of PostgreSQL %i', async (major) => {
  const missing = await PostgresServer.missing(major);
  const wal = missing ? null! : await sample(major);

  test.skipIf(missing)('is understood', () => {
    const reading = scanner(wal);
    reading.push(wal.bytes);
    const facts = reading.takeFacts();
    expect(reading.at).toBe(wal.start + BigInt(wal.bytes.length));
    expect(facts.records).toBeGreaterThan(1000);
    expect(facts.restorePoints.map(({ name }) => name)).toEqual(['here']);
    expect(wal.point - facts.restorePoints[0]!.lsn).toBeGreaterThan(80n);
    const age = Date.now() - Number(facts.lastTime! / 1000n);
    expect(age).toBeGreaterThan(0);
    expect(age).toBeLessThan(300_000);
    expect(facts.lastTime! - facts.firstTime!).toBeGreaterThan(0n);
  });

  test.skipIf(missing)('gives the same facts however it is cut, and across restarts', () => {
    const whole = scanner(wal);
    whole.push(wal.bytes);
    const facts = whole.takeFacts();
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 30_000 }), fc.boolean()), {
          minLength: 1,
          maxLength: 30,
        }),
        (cuts) => {
          let reading = scanner(wal);
          const parts: WalFacts[] = [];
          let at = 0;
          for (let i = 0; at < wal.bytes.length; i++) {
            const [length, restart] = cuts[i % cuts.length]!;
            reading.push(wal.bytes.subarray(at, at + length));
            at = Math.min(at + length, wal.bytes.length);
            parts.push(reading.takeFacts());
            if (restart) reading = scanner(wal, reading.at, reading.state());
          }
          expect(parts.reduce((sum, part) => sum + part.records, 0)).toBe(facts.records);
          expect(parts.flatMap(({ restorePoints }) => restorePoints)).toEqual(facts.restorePoints);
          expect(
            parts
              .map(({ lastTime }) => lastTime)
              .filter((time) => time !== null)
              .reduce((a, b) => (a > b ? a : b)),
          ).toBe(facts.lastTime);
        },
      ),
      { numRuns: 25 },
    );
  });

  test.skipIf(missing)('is refused with a byte changed, left out, or twice', () => {
    /** Where the last record begins that is believed; -1 when the bytes are refused. */
    const believed = (bytes: Buffer): number => {
      const reading = scanner(wal);
      try {
        reading.push(bytes);
        return Number((reading.takeFacts().lastRecord ?? wal.start) - wal.start);
      } catch (error) {
        expect(error).toMatchObject({ code: 'SOURCE_CORRUPT' });
        return -1;
      }
    };
    const judge = (bytes: Buffer): boolean => believed(bytes) >= 0;
    const used = lastRecordStart(wal);
    const before = (): fc.Arbitrary<number> => fc.integer({ min: 0, max: used - 1 });
    fc.assert(
      fc.property(before(), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const bytes = Buffer.from(wal.bytes);
        bytes[at] = bytes[at]! ^ flip;
        // What fills records up to a multiple of 8 is covered by nothing, and read by nobody.
        expect(!judge(bytes) || isPadding(wal, at, flip)).toBe(true);
      }),
      { numRuns: 60 },
    );
    fc.assert(
      fc.property(before(), fc.integer({ min: 1, max: 2000 }), fc.boolean(), (at, wanted, twice) => {
        const length = Math.min(wanted, used - at);
        const again = twice ? wal.bytes.subarray(at, at + length) : Buffer.alloc(0);
        const rest = wal.bytes.subarray(twice ? at : at + length);
        const bytes = Buffer.concat([wal.bytes.subarray(0, at), again, rest]);
        // A record that is not all there cannot be judged yet: what counts is that none behind the damage is believed.
        expect(believed(bytes)).toBeLessThan(Math.max(1, at));
      }),
      { numRuns: 30 },
    );
  });

  test.skipIf(missing)('of another system, timeline or position is refused', () => {
    const options = { systemId: wal.systemId, timeline: 1, segmentBytes: SEGMENT, at: wal.start };
    const wrong = [
      { systemId: wal.systemId + 1n },
      { at: wal.start + BigInt(SEGMENT) },
      { segmentBytes: SEGMENT / 2 },
      { timeline: 0 },
    ];
    for (const change of wrong)
      expect(() => new WalScanner({ ...options, ...change }).push(wal.bytes)).toThrow(
        expect.objectContaining({ code: 'SOURCE_CORRUPT' }),
      );
  });
});

/** Damage to the last record is seen only when its end is there. */
function lastRecordStart(wal: Sample): number {
  const reading = scanner(wal);
  reading.push(wal.bytes);
  return Number(reading.takeFacts().lastRecord! - wal.start);
}

/** Whether a byte lies behind a record's end, or in the unused last bytes of a page's header. */
function isPadding(wal: Sample, at: number, flip: number): boolean {
  const inPage = at % 8192;
  if (inPage >= 20 && inPage < 24) return true;
  // Says only that it may be archived in another form.
  if (inPage === 2 && (flip & ~0x4) === 0) return true;
  // Of the first page also that it abandons a record: whether there was one, only what stood before could tell.
  if (at === 2 && (flip & ~0xc) === 0) return true;
  const before = scanner(wal);
  before.push(wal.bytes.subarray(0, at));
  // Of its state the third byte says how much padding is due; the record's two unused bytes are covered by its checksum.
  return before.state()[2]! > 0;
}

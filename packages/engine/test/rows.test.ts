import { randomBytes } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type MemoryRow, type MemoryTable, memoryRowSource } from '@holdfast/testing/memory-rows';
import { memorySink } from '@holdfast/testing/memory-sink';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { currentPlacement } from '../src/placement-policy.ts';
import { POLICY, type TestVault, testVault } from './test-vault.ts';

let vault: TestVault;
beforeEach(async () => {
  vault = await testVault();
});
afterEach(() => vault.close());

const keyOf = (number: number): string => String(number).padStart(12, '0');

/** Nothing in it compresses, so that bytes stored can be foretold. */
const row = (number: number, bytes = 180): MemoryRow => {
  const key = keyOf(number);
  return { key, bytes: Buffer.concat([Buffer.from(key), randomBytes(bytes)]) };
};
const table = (count: number): MemoryRow[] => Array.from({ length: count }, (_, i) => row(i * 10));
const contentOf = (rows: readonly MemoryRow[]): Buffer => Buffer.concat(rows.map(({ bytes }) => bytes));
const bytesOf = (rows: readonly MemoryRow[]): number => contentOf(rows).length;

async function backUp(rows: readonly MemoryRow[], options: Partial<MemoryTable> = {}) {
  const source = memoryRowSource([{ path: 'rows/t', rows, ...options }]);
  return (await vault.engine.backup({ name: 'db', source })).snapshot;
}

async function expectRestored(id: Awaited<ReturnType<typeof backUp>>['id'], rows: readonly MemoryRow[]) {
  const sink = memorySink();
  await vault.engine.restore({ snapshot: id, sink });
  expect(Buffer.compare(sink.objects.get('rows/t')!.content!, contentOf(rows))).toBe(0);
}

/** Null removes the file. */
async function spoilLedgers(spoil: (bytes: Buffer) => Buffer | null): Promise<void> {
  const { cacheDirectory } = vault.context;
  const names = (await readdir(cacheDirectory)).filter((name) => name.endsWith('.rows'));
  expect(names).toHaveLength(1);
  const path = join(cacheDirectory, names[0]!);
  const spoilt = spoil(await readFile(path));
  if (spoilt) await writeFile(path, spoilt);
  else await rm(path);
}

describe('rows', () => {
  it('come back as they were, and cost nothing when nothing changed', async () => {
    const rows = table(40_000);
    const first = await backUp(rows);
    expect(first.totals.newBytes).toBe(bytesOf(rows));
    const second = await backUp(rows);
    expect(second.totals.newBytes).toBe(0);
    await expectRestored(first.id, rows);
    await expectRestored(second.id, rows);
  });

  it('that were edited all over a table cost themselves, again and again', async () => {
    let rows = table(40_000);
    const versions: [Awaited<ReturnType<typeof backUp>>['id'], MemoryRow[]][] = [];
    versions.push([(await backUp(rows)).id, rows]);
    for (let round = 0; round < 4; round++) {
      const edited = rows.map((old, i) => (i % 20 === round ? row(i * 10, 150 + round) : old));
      const changed = edited.filter((now, i) => now !== rows[i]);
      const { id, totals } = await backUp(edited);
      expect(totals.newBytes).toBeGreaterThanOrEqual(bytesOf(changed));
      expect(totals.newBytes).toBeLessThan(bytesOf(changed) * 1.25);
      versions.push([id, edited]);
      rows = edited;
    }
    for (const [id, version] of versions) await expectRestored(id, version);
  });

  it('that were edited for the most part are stored with their neighbours: too many pieces would be left', async () => {
    const rows = table(4000);
    await backUp(rows);
    const edited = rows.map((old, i) => (i % 5 < 3 ? row(i * 10) : old));
    const { id, totals } = await backUp(edited);
    expect(totals.newBytes).toBe(bytesOf(edited));
    await expectRestored(id, edited);
  });

  it('that come, or go, cost no more than themselves and the groups they stand in', async () => {
    const rows = table(40_000);
    await backUp(rows);
    const inserted = rows.toSpliced(17_000, 0, row(169_995));
    const { id, totals } = await backUp(inserted);
    expect(totals.newBytes).toBeLessThan(1000);
    const pruned = inserted.slice(15_000);
    const after = await backUp(pruned);
    expect(after.totals.newBytes).toBeLessThan(1.1 * 1024 * 1024);
    const grown = [...pruned, ...Array.from({ length: 5000 }, (_, i) => row(400_000 + i))];
    const last = await backUp(grown);
    expect(last.totals.newBytes).toBeLessThan(5000 * 200 + 1.1 * 1024 * 1024);
    await expectRestored(id, inserted);
    await expectRestored(after.id, pruned);
    await expectRestored(last.id, grown);
  });

  it('that stand more often than before, or in another order, come back too', async () => {
    const rows = table(6000);
    await backUp(rows);
    const repeated = [...rows.slice(0, 4000), ...rows.slice(800, 4000), ...rows.slice(3900)];
    await expectRestored((await backUp(repeated)).id, repeated);
    const turned = [...repeated.slice(5000), ...repeated.slice(0, 5000)];
    await expectRestored((await backUp(turned)).id, turned);
  });

  it('longer than a group are cut by content, between rows that are compared', async () => {
    const rows = table(4000);
    const long = row(20_005, 3_000_000);
    const mixed = rows.toSpliced(2001, 0, long);
    await backUp(mixed);
    const edited = mixed.map((old, i) => (i === 10 || i === 3990 ? row(i * 10) : old));
    const { id, totals } = await backUp(edited);
    expect(totals.newBytes).toBeLessThan(1000);
    await expectRestored(id, edited);
  });

  it('are read again as a whole when what is known of them is lost or torn', async () => {
    const rows = table(8000);
    await backUp(rows);
    const edited = rows.map((old, i) => (i === 4000 ? row(i * 10) : old));
    await spoilLedgers((bytes) => {
      bytes[bytes.length >> 1]! ^= 1;
      return bytes;
    });
    const second = await backUp(edited);
    await expectRestored(second.id, edited);
    await spoilLedgers((bytes) => bytes.subarray(0, bytes.length - 100));
    const third = await backUp(rows);
    await expectRestored(third.id, rows);
    await spoilLedgers(() => null);
    const fourth = await backUp(edited);
    expect(fourth.totals.newBytes).toBeLessThan(1.1 * 1024 * 1024);
    await expectRestored(fourth.id, edited);
  });

  it('of a table that did not change are taken over, and compared again when it does', async () => {
    const rows = table(8000);
    await backUp(rows, { fingerprint: 'one' });
    const second = await backUp([], { fingerprint: 'one' });
    await expectRestored(second.id, rows);
    const edited = rows.map((old, i) => (i === 4000 ? row(i * 10) : old));
    const third = await backUp(edited, { fingerprint: 'two' });
    expect(third.totals.newBytes).toBeLessThan(1000);
    await expectRestored(third.id, edited);
  });

  it('of several tables that did not change are compared again when they do', async () => {
    // What is known of them takes more than the megabyte that is read of a ledger at once.
    const tables = ['a', 'b', 'c'].map((name) => ({
      path: `rows/${name}`,
      rows: Array.from({ length: 25_000 }, (_, i) => row(i * 10, 20)),
    }));
    const backUpAll = async (all: readonly MemoryTable[]) =>
      (await vault.engine.backup({ name: 'db', source: memoryRowSource(all) })).snapshot;
    const unchanged = tables.map((one) => ({ ...one, fingerprint: 'same' }));
    await backUpAll(unchanged);
    await backUpAll(unchanged);
    const edited = tables.map(({ path, rows }) => ({
      path,
      rows: rows.map((old, i) => (i % 5000 === 7 ? row(i * 10) : old)),
    }));
    const { totals } = await backUpAll(edited);
    expect(totals.newBytes).toBeLessThan(3 * 5 * 200);
  });

  it('of different labels share no partition, and partitions say what they are', async () => {
    const labelled = (name: string, kind: 'column' | 'temporal', group: string | null, count: number) => ({
      path: `rows/${name}`,
      rows: table(count),
      label: { name, kind, group },
    });
    const tables = [
      labelled('a.main', 'column', 'a', 3000),
      labelled('a.pii', 'column', 'a', 100),
      labelled('b.2026-10', 'temporal', null, 60_000),
    ];
    const { snapshot } = await vault.engine.backup({ name: 'db', source: memoryRowSource(tables) });
    const stripes = await vault.engine.partitions(snapshot.id);
    const content = stripes.filter(({ kind }) => kind !== 'size');
    expect(content.map(({ kind }) => kind).sort()).toEqual(['column', 'column', 'temporal']);
    const pii = content.find(({ rawSize }) => rawSize === bytesOf(tables[1]!.rows))!;
    const main = content.find(({ rawSize }) => rawSize === bytesOf(tables[0]!.rows))!;
    const siblings = [...pii.dependencies, ...main.dependencies].filter(
      ({ kind }) => kind === 'sibling-columns',
    );
    expect(siblings.map(({ partition }) => partition)).toEqual([
      expect.stringMatching(`${pii.id}|${main.id}`),
    ]);
    const month = content.find(({ kind }) => kind === 'temporal')!;
    const continued = stripes.filter(({ dependencies }) =>
      dependencies.some(({ kind, partition }) => kind === 'part-of' && partition === month.id),
    );
    const bytes = [month, ...continued].reduce((sum, { rawSize }) => sum + rawSize, 0);
    expect(bytes).toBe(bytesOf(tables[2]!.rows));
    expect(continued.length).toBeGreaterThan(0);
  });

  it('of column families are refused where siblings are to be kept apart: that is not built', async () => {
    const { placement } = { placement: { current: currentPlacement(POLICY) } };
    const settings = { ...placement.current.settings, separateSiblings: true };
    const policy = { ...POLICY, placement: { current: { ...placement.current, settings } } };
    const engine = await vault.reopen({ policy });
    const tables = [
      { path: 'rows/a', rows: table(10), label: { name: 'a.pii', kind: 'column', group: 'a' } as const },
    ];
    const refused = engine.backup({ name: 'db', source: memoryRowSource(tables) });
    await expect(refused).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    expect(await vault.catalog.snapshots()).toEqual([]);
  });

  it('that changed go to a partition that follows the ones they change', async () => {
    const rows = table(3000);
    const label = { name: 't', kind: 'row', group: null } as const;
    const first = await backUp(rows, { label });
    const [base] = (await vault.engine.partitions(first.id)).filter(({ kind }) => kind === 'row');
    const second = await backUp(
      rows.map((old, i) => (i % 30 === 0 ? row(i * 10) : old)),
      { label },
    );
    const delta = (await vault.engine.partitions(second.id)).find(
      ({ kind, id }) => kind === 'row' && id !== base!.id,
    )!;
    expect(delta.dependencies).toEqual([{ kind: 'follows', partition: base!.id }]);
  });
});

describe('any history of a table', () => {
  const change = fc.record({
    kind: fc.constantFrom('edit', 'delete', 'insert', 'swap', 'long', 'repeat'),
    from: fc.nat(999),
    count: fc.nat(200),
    step: fc.integer({ min: 1, max: 40 }),
    bytes: fc.integer({ min: 1, max: 800 }),
  });

  it('comes back, each version bit for bit', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(change, { maxLength: 3 }), { minLength: 2, maxLength: 5 }),
        fc.integer({ min: 1, max: 700 }),
        async (rounds, batch) => {
          const fresh = await testVault();
          try {
            let rows = Array.from({ length: 1500 }, (_, i) => row(i * 10, 400));
            const versions: MemoryRow[][] = [];
            const ids = [];
            for (const changes of rounds) {
              rows = changes.reduce(applied, rows);
              const source = memoryRowSource([{ path: 'rows/t', rows }], batch);
              ids.push((await fresh.engine.backup({ name: 'db', source })).snapshot.id);
              versions.push(rows);
            }
            for (const [i, id] of ids.entries()) {
              const sink = memorySink();
              await fresh.engine.restore({ snapshot: id, sink });
              expect(Buffer.compare(sink.objects.get('rows/t')!.content!, contentOf(versions[i]!))).toBe(0);
            }
          } finally {
            await fresh.close();
          }
        },
      ),
      { numRuns: 8 },
    );
  });

  function applied(
    rows: MemoryRow[],
    {
      kind,
      from,
      count,
      step,
      bytes,
    }: { kind: string; from: number; count: number; step: number; bytes: number },
  ): MemoryRow[] {
    const start = Math.floor((from / 1000) * rows.length);
    const isMeant = (i: number) => i >= start && i < start + count * step && (i - start) % step === 0;
    switch (kind) {
      case 'edit':
        return rows.map((old, i) => (isMeant(i) ? { ...row(0, bytes), key: old.key } : old));
      case 'delete':
        return rows.filter((_, i) => !isMeant(i));
      case 'insert':
        return rows.toSpliced(start, 0, ...Array.from({ length: count }, (_, i) => row(1e9 + i, bytes)));
      case 'swap':
        return [...rows.slice(start), ...rows.slice(0, start)];
      case 'repeat':
        return rows.toSpliced(start, 0, ...rows.slice(start, start + count));
      default:
        return rows.toSpliced(start, 0, row(2e9, 300_000 + 1000 * bytes));
    }
  }
});

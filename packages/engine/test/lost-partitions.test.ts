import { randomBytes } from 'node:crypto';
import { memorySink } from '@holdfast/testing/memory-sink';
import { memorySource } from '@holdfast/testing/memory-source';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EngineEvent } from '../src/index.ts';
import { type TestVault, testVault } from './test-vault.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const content = randomBytes(5 * 1024 * 1024);
const source = (fingerprint: string | null) => memorySource([{ path: 'file', content, fingerprint }]);

describe('data that an earlier backup stored', () => {
  let vault: TestVault;
  beforeEach(async () => {
    vault = await testVault({ peers: 6 });
  });
  afterEach(() => vault.close());

  const everyShard = () =>
    [...vault.stores.values()].flatMap((store) => store.all().map(({ id }) => ({ store, id })));

  it.each(['same', null])(
    'is stored again once its peers have lost it (fingerprint %s)',
    async (fingerprint) => {
      await vault.engine.backup({ name: 'a', source: source(fingerprint) });
      for (const { store, id } of everyShard()) store.lose(id);
      const events: EngineEvent[] = [];
      const again = await vault.engine.backup({
        name: 'a',
        source: source(fingerprint),
        onEvent: (e) => events.push(e),
      });
      expect(again.snapshot.totals.newBytes).toBe(content.length);
      expect(again.missingShards).toBeGreaterThan(0);
      expect(events.filter(({ type }) => type === 'shard-missing').length).toBe(again.missingShards);
      const sink = memorySink();
      await vault.engine.restore({ snapshot: again.snapshot.id, sink });
      expect(Buffer.compare(sink.objects.get('file')!.content!, content)).toBe(0);
      const third = await vault.engine.backup({ name: 'a', source: source(fingerprint) });
      expect(third.snapshot.totals.newBytes).toBe(0);
      expect(third.missingShards).toBe(0);
    },
  );

  it('is relied on while enough of it is there, and while its peers are only silent', async () => {
    await vault.engine.backup({ name: 'a', source: source(null) });
    const [first] = vault.peers;
    for (const { id } of vault.stores.get(first!)!.all()) vault.stores.get(first!)!.lose(id);
    const again = await vault.engine.backup({ name: 'a', source: source(null) });
    expect(again.snapshot.totals.newBytes).toBe(0);
    vault.transport.faults(first!).down = true;
    const silent = await vault.engine.backup({ name: 'a', source: source(null) });
    expect(silent.snapshot.totals.newBytes).toBe(0);
    expect(silent.missingShards).toBe(0);
  });

  it('has its leases renewed in time', async () => {
    await vault.engine.backup({ name: 'a', source: source(null) });
    const { leaseDays } = vault.context.policy;
    const later = Date.now() + 0.6 * leaseDays * DAY_MS;
    const clock = { ...vault.context.clock, now: () => later };
    const engine = await vault.reopen({ clock });
    const before = everyShard().length;
    await engine.backup({ name: 'a', source: source(null) });
    const leases = [...vault.stores.values()].flatMap((store) =>
      store.all().map(({ leaseUntil }) => leaseUntil),
    );
    expect(before).toBeGreaterThan(0);
    const old = leases.filter((until) => until < later + leaseDays * DAY_MS);
    // Only the first run's manifest is not part of what the second snapshot relies on.
    const { k, m } = vault.context.policy;
    expect(old.length).toBe(k + m);
  });
});

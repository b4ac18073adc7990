import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PartitionId, Stripe } from '@holdfast/contracts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planDamage, rot } from '../damage.ts';
import { SeededRandom } from '../random.ts';
import type { Peer, Swarm } from '../swarm.ts';
import type { Observation, ShardOnDisk } from '../witness.ts';

const [k, m] = [4, 2];

function swarmOf(count: number): Swarm {
  const peers = Array.from({ length: count }, (_, i): Peer => {
    const number = i + 1;
    return {
      number,
      id: `${number}`,
      name: `peer-${number}`,
      operator: '',
      region: '',
      directory: '',
      pid: null,
    };
  });
  return { directory: '', vault: '', peers };
}

/** Each partition on k + m peers of a random order. */
function observe(swarm: Swarm, partitions: number, seed: number): Observation {
  const random = new SeededRandom(seed);
  const stripes = Array.from(
    { length: partitions },
    (_, i) => ({ id: `${i}` as PartitionId, k, m }) as Stripe,
  );
  const shards = stripes.flatMap((stripe): ShardOnDisk[] => {
    const order = swarm.peers.map((peer) => ({ peer, at: random.next() })).sort((a, b) => a.at - b.at);
    return order
      .slice(0, k + m)
      .map(({ peer }, index) => ({ peer, stripe, index, path: `${stripe.id}-${index}` }));
  });
  return { stripes, shards, unexplained: [] };
}

test('every partition keeps k good shards, and some no more than that', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: k + m, max: 14 }),
      fc.integer({ min: 1, max: 60 }),
      fc.nat(),
      (count, partitions, seed) => {
        const swarm = swarmOf(count);
        const seen = observe(swarm, partitions, seed);
        const plan = planDamage(swarm, seen, m);
        expect(plan.dying).toHaveLength(m);
        expect(plan.dying).not.toContain(plan.rotting);
        const good = seen.shards.filter(
          (shard) => !plan.dying.includes(shard.peer) && !plan.shards.includes(shard),
        );
        const left = seen.stripes.map(({ id }) => good.filter((shard) => shard.stripe.id === id).length);
        expect(Math.min(...left)).toBe(k);
        expect(left.filter((shards) => shards === k)).toHaveLength(plan.atTheLimit);
      },
    ),
  );
});

test('rot changes bytes and nothing else', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-rot-'));
  try {
    const path = join(directory, 'shard');
    writeFileSync(path, Buffer.alloc(65_536, 7));
    const { mtimeMs, size } = statSync(path);
    await rot([{ path } as ShardOnDisk], new SeededRandom(1));
    expect(statSync(path).size).toBe(size);
    expect(Math.abs(statSync(path).mtimeMs - mtimeMs)).toBeLessThan(1);
    expect(readFileSync(path).filter((byte) => byte !== 7).length).toBe(32);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

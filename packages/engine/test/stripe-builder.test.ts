import { randomBytes } from 'node:crypto';
import type { PartitionId } from '@holdfast/contracts';
import { SealingKeys } from '@holdfast/crypto';
import { afterEach, expect, it, vi } from 'vitest';
import { ArenaSet } from '../src/sealing/arena-set.ts';
import { chunkId } from '../src/sealing/chunk-id.ts';
import { LaneRecord } from '../src/sealing/lane-record.ts';
import type { FramePart, SealReport, SharedArena, StripeIdentity } from '../src/sealing/protocol.ts';
import { StripeBuilder } from '../src/sealing/stripe-builder.ts';
import { ThreadArenas } from '../src/sealing/thread-arenas.ts';

const CODE = { k: 3, m: 2, helpers: 0 };
const keys = SealingKeys.fromSecret(randomBytes(32));
const identities: StripeIdentity[] = [1, 2].map((number) => ({
  id: `00000000-0000-4000-8000-00000000000${number}` as PartitionId,
  number,
  epoch: 1,
  packageKey: randomBytes(32),
}));

class Stopped extends Error {}

afterEach(() => vi.restoreAllMocks());

/** What a lane keeps, and the builders of its threads one after the other. */
class TestLane {
  readonly record = new LaneRecord();
  readonly arenas: SharedArena[] = [];
  readonly reports: SealReport[] = [];
  /** What the threads were given. */
  readonly copies: StripeIdentity[] = [];

  constructor(...supply: StripeIdentity[]) {
    const set = new ArenaSet(2, (arena) => this.arenas.push(arena));
    for (const identity of supply.length > 0 ? supply : identities)
      this.record.given({ type: 'identity', identity });
    for (let i = 0; i < 2; i++) this.record.given({ type: 'release', arena: set.pick(CODE)! });
  }

  /** @param stopAt where it stops, having told of it or not. */
  start(stopAt?: 'closing' | 'sealed'): StripeBuilder {
    const arenas = new ThreadArenas();
    for (const arena of this.arenas) arenas.know(arena);
    const stock: StripeIdentity[] = [];
    const builder = new StripeBuilder({
      arenas,
      keys,
      code: CODE,
      compressionLevel: 1,
      identity: async () => stock.shift()!,
      closing: (sizeClass) => {
        this.record.closing(sizeClass);
        if (stopAt === 'closing') throw new Stopped();
      },
      sealed: (report) => {
        this.reports.push(report);
        if (stopAt === 'sealed') throw new Stopped();
        this.record.sealed();
      },
    });
    for (const message of this.record.toldAgain()) {
      if (message.type === 'release') arenas.release(message.arena);
      else if (message.type === 'identity') {
        stock.push(structuredClone(message.identity));
        this.copies.push(stock.at(-1)!);
      } else if (message.type === 'adopt') builder.adopt(structuredClone(message.stripe));
    }
    return builder;
  }

  async add(builder: StripeBuilder, raw: Uint8Array): Promise<FramePart> {
    const chunks = [{ id: chunkId(Buffer.alloc(32), raw), length: raw.length }];
    const { parts } = await builder.add(raw, chunks, new Uint8Array(0), []);
    this.record.placed(parts, chunks, null);
    return parts[0]!;
  }
}

const CONTENT = randomBytes(300_000);

async function undisturbed(): Promise<SealReport> {
  const lane = new TestLane();
  const builder = lane.start();
  await lane.add(builder, CONTENT);
  builder.flush();
  return lane.reports[0]!;
}

it.each(['closing', 'sealed'] as const)('seals the very same again when stopped at "%s"', async (stopAt) => {
  const lane = new TestLane();
  const first = lane.start(stopAt);
  await lane.add(first, CONTENT);
  expect(() => first.flush()).toThrow(Stopped);
  lane.start();
  expect(lane.reports.at(-1)).toEqual(await undisturbed());
});

it('adds nothing to a stripe whose sealing had begun, though there is room', async () => {
  const lane = new TestLane();
  const first = lane.start('closing');
  await lane.add(first, CONTENT);
  expect(() => first.flush()).toThrow(Stopped);
  const second = lane.start();
  expect(lane.reports).toEqual([await undisturbed()]);
  expect(await lane.add(second, randomBytes(1000))).toMatchObject({ partition: 2, frame: 0 });
});

it('goes on with an open stripe as if nothing had happened, whatever was half written', async () => {
  const lane = new TestLane();
  const first = lane.start();
  const { arena } = await lane.add(first, CONTENT.subarray(0, 1000));
  await first.add(randomBytes(200_000), [{ id: 'never told' as never, length: 200_000 }], CONTENT, []);
  const second = lane.start();
  expect(await lane.add(second, CONTENT)).toMatchObject({ partition: 1, frame: 1, arena });
  second.flush();

  const other = new TestLane();
  const builder = other.start();
  await other.add(builder, CONTENT.subarray(0, 1000));
  await other.add(builder, CONTENT);
  builder.flush();
  expect(lane.reports).toEqual(other.reports);
});

it('wipes its copy of the package key when the stripe is sealed', async () => {
  const lane = new TestLane();
  const builder = lane.start();
  await lane.add(builder, CONTENT);
  const [first, second] = lane.copies as [StripeIdentity, StripeIdentity];
  expect(Buffer.from(first.packageKey)).toEqual(identities[0]!.packageKey);
  builder.flush();
  expect([...first.packageKey]).toEqual(Array(32).fill(0));
  expect(Buffer.from(second.packageKey)).toEqual(identities[1]!.packageKey);
});

it('wipes shard keys also when sealing fails', async () => {
  const made: Uint8Array[] = [];
  const { partition } = keys;
  vi.spyOn(keys, 'partition').mockImplementation((...args) => {
    const derived = partition.apply(keys, args);
    const { shardKeys } = derived;
    derived.shardKeys = (k) => {
      made.push(...shardKeys.call(derived, k));
      return made;
    };
    return derived;
  });
  const lane = new TestLane({ ...identities[0]!, packageKey: randomBytes(31) });
  const builder = lane.start();
  await lane.add(builder, CONTENT);
  expect(() => builder.flush()).toThrow(expect.objectContaining({ code: 'CODE_PARAMETERS' }));
  expect(made).toEqual(Array.from({ length: CODE.k }, () => new Uint8Array(32)));
});

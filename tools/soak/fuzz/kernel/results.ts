import { fill } from '../../../../packages/erasure/test/stripes.ts';
import { Violation } from '../target.ts';
import { partOf } from './clay-code.ts';
import type { KernelRequest, Shape } from './requests.ts';
import type { Stage } from './stage.ts';

export function noise(bytes: number, seed: number): Uint8Array {
  const shard = new Uint8Array(bytes);
  fill(shard, Math.imul(seed, 0x9e3779b9) + 1);
  return shard;
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

const shapeOf = ({ k, m, bytes, helpers }: KernelRequest): Shape => ({ k, m, bytes, helpers });

type Check = (stage: Stage, request: KernelRequest, truth: readonly Uint8Array[], seed: number) => void;

/** Each twice, with other bytes around the shards: demands the right bytes, and that nothing else was written. */
const CHECKS: Readonly<Record<KernelRequest['call'], Check>> = {
  encode: (stage, request, truth, seed) =>
    requireSame(encoded(stage, request, truth.slice(0, request.k), seed), truth, 'encode'),
  verify: verified,
  reconstruct: reconstructed,
  repair: repaired,
  updateParity: updated,
  shard: viewed,
};

/** @param truth all shards of the stripe, as they have to be. */
export const performed: Check = (stage, request, truth, seed) =>
  CHECKS[request.call](stage, request, truth, seed);

function viewed({ arena }: Stage, { index, bytes }: KernelRequest): void {
  const slot = arena.shard(index, bytes);
  if (
    slot.length !== bytes ||
    slot.byteOffset !== arena.shardOffset(index) ||
    slot.buffer !== arena.memory.buffer
  )
    throw new Violation('A view is not that of its slot.');
}

/** All shards, encoded twice with other bytes around them and in the place of the parity. */
export function encoded(
  stage: Stage,
  request: KernelRequest,
  primaries: readonly Uint8Array[],
  seed: number,
): Uint8Array[] {
  const { k, m, bytes } = request;
  const [one, other] = [seed + 1, seed + 2].map((around) => {
    stage.set(around, primaries, null);
    stage.watched((arena) => arena.encode(shapeOf(request)), range(k, k + m), bytes);
    return range(0, k + m).map((index) => stage.read(index, bytes));
  });
  requireSame(one!, other!, 'encode');
  return one!;
}

function verified(stage: Stage, request: KernelRequest, truth: readonly Uint8Array[], seed: number): void {
  const { k, m, bytes } = request;
  for (const around of [seed + 3, seed + 4]) {
    stage.set(around, truth, null);
    if (!stage.watched((arena) => arena.verify(shapeOf(request)), [], bytes))
      throw new Violation('Good shards do not verify.');
    // Without parity there is nothing to compare with.
    if (m === 0) continue;
    const bad = stage.arena.shard(seed % (k + m), bytes);
    bad[seed % bytes]! ^= 1 << (seed & 7);
    if (stage.watched((arena) => arena.verify(shapeOf(request)), [], bytes))
      throw new Violation('A wrong bit verifies.');
  }
}

function reconstructed(
  stage: Stage,
  request: KernelRequest,
  truth: readonly Uint8Array[],
  seed: number,
): void {
  const { present, wanted } = request;
  const given = truth.map((shard, index) => (present.some((there) => there === index) ? shard : null));
  for (const around of [seed + 5, seed + 6]) {
    stage.set(around, given, null);
    stage.watched((arena) => arena.reconstruct(request), wanted, request.bytes);
    requireMade(stage, wanted, truth, 'reconstruct');
  }
}

/** Of the helpers only the parts that they would send are there: all the rest is other noise each time. */
function repaired(stage: Stage, request: KernelRequest, truth: readonly Uint8Array[], seed: number): void {
  const { lost, from, bytes } = request;
  const part = partOf(request, lost);
  for (const around of [seed + 10, seed + 11]) {
    stage.set(around, [], null);
    for (const helper of from) {
      const slot = stage.arena.shard(helper, bytes);
      for (let at = part.offset; at < bytes; at += part.period)
        slot.set(truth[helper]!.subarray(at, at + part.length), at);
    }
    stage.watched((arena) => arena.repair(request), [lost], bytes);
    requireMade(stage, [lost], truth, 'repair');
  }
}

/** The parity belonged to another content of one primary, which lies in scratch: afterwards it is that of the new one. */
function updated(stage: Stage, request: KernelRequest, truth: readonly Uint8Array[], seed: number): void {
  const { k, m, bytes, index } = request;
  const parity = range(k, k + m);
  const old = noise(bytes, seed + 1000);
  stage.set(seed + 7, truth.slice(0, k).with(index, old), null);
  stage.arena.encode(shapeOf(request));
  const stale = parity.map((shard) => stage.read(shard, bytes));
  for (const around of [seed + 8, seed + 9]) {
    stage.set(around, [...truth.slice(0, k), ...stale], old);
    stage.watched((arena) => arena.updateParity(request), parity, bytes);
    requireMade(stage, parity, truth, 'updateParity');
  }
}

const requireMade = (
  stage: Stage,
  made: readonly number[],
  truth: readonly Uint8Array[],
  what: string,
): void =>
  requireSame(
    made.map((index) => stage.read(index, truth[index]!.length)),
    made.map((index) => truth[index]!),
    what,
  );

export function requireSame(got: readonly Uint8Array[], expected: readonly Uint8Array[], what: string): void {
  const wrong = got.findIndex((shard, i) => Buffer.compare(shard, expected[i]!) !== 0);
  if (wrong >= 0) throw new Violation(`${what} makes a wrong shard, number ${wrong} of ${got.length}.`);
}

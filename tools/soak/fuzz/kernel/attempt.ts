import { HoldfastError } from '@holdfast/contracts';
import { StripeArena, supportedVariants } from '@holdfast/erasure';
import { fill } from '../../../../packages/erasure/test/stripes.ts';
import { Draw } from '../draw.ts';
import { Violation } from '../target.ts';
import { type ArenaFacts, drawRequest, type KernelRequest, oddNumber, spoil } from './requests.ts';
import { isPossible, refusalOf } from './rules.ts';
import { checkReference, Stage } from './stage.ts';

/** More than the largest shape needs, and little enough to be had at any time. */
const MOST_ARENA_BYTES = 2 ** 28;

/** An arena with odd measures: it is refused by its code, or is what was asked for. */
export function attemptArena(input: Uint8Array): void {
  const draw = new Draw(input);
  const good = {
    shards: draw.between(1, 255),
    shardBytes: 64 * draw.between(1, 40),
    scratchBytes: draw.between(0, 9999),
  };
  const field = draw.pick(['shards', 'shardBytes', 'scratchBytes', 'none'] as const);
  const facts = field === 'none' ? good : { ...good, [field]: oddNumber(draw, good[field]) };
  // An undefined length of scratch is none at all.
  const meant =
    facts.scratchBytes === undefined || facts.scratchBytes === null ? { ...facts, scratchBytes: 0 } : facts;
  const possible = isPossible(meant);
  if (possible && meant.shards * meant.shardBytes + meant.scratchBytes > MOST_ARENA_BYTES) return;
  const variant = draw.pick(supportedVariants());
  let arena: StripeArena;
  try {
    arena = StripeArena.create({ ...facts, variant });
  } catch (error) {
    if (possible) throw error;
    if (HoldfastError.is(error, 'CODE_PARAMETERS')) return;
    throw error;
  }
  if (!possible) throw new Violation(`There is an arena of ${JSON.stringify(facts)}.`);
  const end = arena.scratch.byteOffset + meant.scratchBytes;
  const last = arena.shardOffset(meant.shards - 1) + meant.shardBytes;
  const { byteLength } = arena.memory.buffer;
  if (last > arena.scratch.byteOffset || end > byteLength || byteLength - end >= 65_536)
    throw new Violation('Its parts do not fit its memory.');
}

/** A request, good or spoilt, to every variant of the kernel. */
export function attemptRequest(input: Uint8Array): void {
  const draw = new Draw(input);
  const drawn = drawRequest(draw);
  const request = defaulted(draw.chance(120) ? spoil(draw, drawn.request) : drawn.request, drawn.arena);
  const refusal = refusalOf(request, drawn.arena);
  const seed = draw.uint32();
  if (refusal !== null) refused(request, drawn.arena, refusal);
  else if (request.call === 'shard') view(request, drawn.arena);
  else done(request, drawn.arena, seed);
}

/** A view without a length is one of the whole slot. */
const defaulted = (request: KernelRequest, { shardBytes }: ArenaFacts): KernelRequest =>
  request.call === 'shard' && request.bytes === undefined ? { ...request, bytes: shardBytes } : request;

function call(arena: StripeArena, request: KernelRequest): unknown {
  return request.call === 'shard' ? arena.shard(request.index, request.bytes) : arena[request.call](request);
}

function refused(
  request: KernelRequest,
  facts: ArenaFacts,
  code: 'CODE_PARAMETERS' | 'TOO_FEW_SHARDS',
): void {
  for (const variant of supportedVariants()) {
    const stage = new Stage(facts, variant);
    stage.set(1, [], null);
    try {
      stage.untouched((arena) => call(arena, request));
    } catch (error) {
      if (HoldfastError.is(error, code)) continue;
      throw error;
    }
    throw new Violation(`It was not refused as ${code}.`);
  }
}

function view({ index, bytes }: KernelRequest, facts: ArenaFacts): void {
  const { arena } = new Stage(facts, supportedVariants()[0]!);
  const slot = arena.shard(index, bytes);
  if (
    slot.length !== bytes ||
    slot.byteOffset !== arena.shardOffset(index) ||
    slot.buffer !== arena.memory.buffer
  )
    throw new Violation('A view is not that of its slot.');
}

/** The right bytes from every variant, whatever lies around the shards, and nothing written elsewhere. */
function done(request: KernelRequest, facts: ArenaFacts, seed: number): void {
  const { k, m, bytes } = request;
  const primaries = Array.from({ length: k }, (_, i) => noise(bytes, seed + i));
  const old = request.call === 'updateParity' ? noise(bytes, seed + 1000) : null;
  let first: Uint8Array[] | null = null;
  for (const variant of supportedVariants()) {
    const stage = new Stage(facts, variant);
    const truth = encoded(stage, request, primaries, seed);
    first ??= truth;
    if (truth.some((shard, i) => Buffer.compare(shard, first![i]!) !== 0))
      throw new Violation(`${variant} makes other parity.`);
    if (request.call === 'verify') verified(stage, request, truth, seed);
    if (request.call === 'reconstruct') reconstructed(stage, request, truth, seed);
    if (request.call === 'updateParity') updated(stage, request, truth, old!, seed);
  }
  checkReference({ k, m, bytes }, primaries, (index) => first![index]!, seed);
}

function noise(bytes: number, seed: number): Uint8Array {
  const shard = new Uint8Array(bytes);
  fill(shard, Math.imul(seed, 0x9e3779b9) + 1);
  return shard;
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

/** All shards, encoded twice with other bytes around them and in the place of the parity. */
function encoded(
  stage: Stage,
  { k, m, bytes }: KernelRequest,
  primaries: readonly Uint8Array[],
  seed: number,
): Uint8Array[] {
  const parity = range(k, k + m);
  const [one, other] = [seed + 1, seed + 2].map((around) => {
    stage.set(around, primaries, null);
    stage.watched((arena) => arena.encode({ k, m, bytes }), parity, bytes);
    return range(0, k + m).map((index) => stage.read(index, bytes));
  });
  requireSame(one!, other!, 'encode');
  return one!;
}

function verified(
  stage: Stage,
  { k, m, bytes }: KernelRequest,
  truth: readonly Uint8Array[],
  seed: number,
): void {
  for (const around of [seed + 3, seed + 4]) {
    stage.set(around, truth, null);
    if (!stage.watched((arena) => arena.verify({ k, m, bytes }), [], bytes))
      throw new Violation('Good shards do not verify.');
    // Without parity there is nothing to compare with.
    if (m === 0) continue;
    const bad = stage.arena.shard(seed % (k + m), bytes);
    bad[seed % bytes]! ^= 1 << (seed & 7);
    if (stage.watched((arena) => arena.verify({ k, m, bytes }), [], bytes))
      throw new Violation('A wrong bit verifies.');
  }
}

function reconstructed(
  stage: Stage,
  request: KernelRequest,
  truth: readonly Uint8Array[],
  seed: number,
): void {
  const { bytes, present, wanted } = request;
  for (const around of [seed + 5, seed + 6]) {
    stage.set(
      around,
      truth.map((shard, index) => (present.some((there) => there === index) ? shard : null)),
      null,
    );
    stage.watched((arena) => arena.reconstruct(request), wanted, bytes);
    requireSame(
      wanted.map((index) => stage.read(index, bytes)),
      wanted.map((index) => truth[index]!),
      'reconstruct',
    );
  }
}

/** The parity belonged to another content of one primary, which lies in scratch: afterwards it is that of the new one. */
function updated(
  stage: Stage,
  request: KernelRequest,
  truth: readonly Uint8Array[],
  old: Uint8Array,
  seed: number,
): void {
  const { k, m, bytes, index } = request;
  const parity = range(k, k + m);
  const before = truth.slice(0, k).with(index, old);
  stage.set(seed + 7, before, null);
  stage.arena.encode({ k, m, bytes });
  const stale = parity.map((shard) => stage.read(shard, bytes));
  for (const around of [seed + 8, seed + 9]) {
    stage.set(around, [...truth.slice(0, k), ...stale], old);
    stage.watched((arena) => arena.updateParity(request), parity, bytes);
    requireSame(
      parity.map((shard) => stage.read(shard, bytes)),
      truth.slice(k),
      'updateParity',
    );
  }
}

function requireSame(got: readonly Uint8Array[], expected: readonly Uint8Array[], what: string): void {
  const wrong = got.findIndex((shard, i) => Buffer.compare(shard, expected[i]!) !== 0);
  if (wrong >= 0) throw new Violation(`${what} makes a wrong shard, number ${wrong} of ${got.length}.`);
}

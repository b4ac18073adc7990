import { HoldfastError } from '@holdfast/contracts';
import { supportedVariants } from '@holdfast/erasure';
import { Draw } from '../draw.ts';
import { Violation } from '../target.ts';
import { checkReference } from './reference.ts';
import {
  type ArenaFacts,
  type Drawn,
  drawClayRequest,
  drawRequest,
  type KernelRequest,
  spoil,
} from './requests.ts';
import { encoded, noise, performed, requireSame } from './results.ts';
import { type Refusal, refusalOf } from './rules.ts';
import { Stage } from './stage.ts';

/** A request, good or spoilt, to every variant of the kernel. */
export const attemptRequest = (input: Uint8Array): void => attempt(new Draw(input), drawRequest);

/** Likewise for a Clay code. */
export const attemptClay = (input: Uint8Array): void => attempt(new Draw(input), drawClayRequest);

function attempt(draw: Draw, drawOne: (draw: Draw) => Drawn): void {
  const { request: good, arena } = drawOne(draw);
  const request = defaulted(draw.chance(120) ? spoil(draw, good) : good, arena);
  const refusal = refusalOf(request, arena, (code) => Stage.hasRoom(arena, code));
  const seed = draw.uint32();
  if (refusal !== null) refused(request, arena, refusal);
  else if (request.call === 'shard') performed(new Stage(arena, supportedVariants()[0]!), request, [], seed);
  else done(request, arena, seed);
}

/** A view without a length is one of the whole slot. */
const defaulted = (request: KernelRequest, { shardBytes }: ArenaFacts): KernelRequest =>
  request.call === 'shard' && request.bytes === undefined ? { ...request, bytes: shardBytes } : request;

function refused(request: KernelRequest, facts: ArenaFacts, code: Refusal): void {
  for (const variant of supportedVariants()) {
    const stage = new Stage(facts, variant);
    stage.set(1, [], null);
    requireRefusal(stage, request, code);
  }
}

/** By that code, and with nothing written at all. */
export function requireRefusal(stage: Stage, request: KernelRequest, code: Refusal): void {
  try {
    stage.untouched((arena) =>
      request.call === 'shard' ? arena.shard(request.index, request.bytes) : arena[request.call](request),
    );
  } catch (error) {
    if (HoldfastError.is(error, code)) return;
    throw error;
  }
  throw new Violation(`It was not refused as ${code}.`);
}

/** The right bytes from every variant, whatever lies around the shards, and nothing written elsewhere. */
function done(request: KernelRequest, facts: ArenaFacts, seed: number): void {
  const primaries = Array.from({ length: request.k }, (_, i) => noise(request.bytes, seed + i));
  let first: Uint8Array[] | null = null;
  for (const variant of supportedVariants()) {
    const stage = new Stage(facts, variant);
    const truth = encoded(stage, request, primaries, seed);
    requireSame(truth, first ?? truth, `encode of the ${variant} kernel`);
    first ??= truth;
    if (request.call !== 'encode') performed(stage, request, truth, seed);
  }
  checkReference(request, first!, seed);
}

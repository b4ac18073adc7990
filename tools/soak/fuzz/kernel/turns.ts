import { supportedVariants } from '@holdfast/erasure';
import { Draw } from '../draw.ts';
import { requireRefusal } from './attempt.ts';
import { BLOCK, type ClayCode } from './clay-code.ts';
import { smallCode } from './clay-draw.ts';
import { type ArenaFacts, type KernelRequest, requestOf, type Shape, spoil } from './requests.ts';
import { encoded, noise, performed } from './results.ts';
import { refusalOf } from './rules.ts';
import { Stage } from './stage.ts';

interface ClayArena extends ArenaFacts {
  readonly clay: ClayCode;
}

/** A request, and what the stripe's shards have to be. */
interface Turn {
  readonly request: KernelRequest;
  readonly truth: readonly Uint8Array[];
  readonly seed: number;
}

/**
 * One arena for requests of plain and Clay codes by turns, some of them more than once and some refused: what one has left
 * in tables, schedule and workspace must not matter to the next. Each stripe's shards come from an arena of its own.
 */
export function attemptTurns(input: Uint8Array): void {
  const draw = new Draw(input);
  const facts = factsOf(draw);
  const stage = new Stage(facts, draw.pick(supportedVariants()));
  const turns = Array.from({ length: draw.between(2, 4) }, () => turnOf(draw, facts));
  for (let left = draw.between(4, 8); left > 0; left--) {
    const { request, truth, seed } = draw.pick(turns);
    if (draw.chance(64)) isRefused(stage, spoil(draw, request), facts);
    if (!isRefused(stage, request, facts)) performed(stage, request, truth, seed);
  }
}

/** False, and nothing done, where it is a good one. */
function isRefused(stage: Stage, request: KernelRequest, facts: ArenaFacts): boolean {
  const refusal = refusalOf(request, facts, (code) => Stage.hasRoom(facts, code));
  if (refusal !== null) requireRefusal(stage, request, refusal);
  return refusal !== null;
}

function factsOf(draw: Draw): ClayArena {
  const clay = smallCode(draw);
  const shardBytes = BLOCK * draw.between(1, 2);
  return { shards: clay.k + clay.m + draw.between(0, 2), shardBytes, scratchBytes: shardBytes, clay };
}

function turnOf(draw: Draw, facts: ClayArena): Turn {
  const shape = turnShape(draw, facts);
  const request = requestOf(draw, shape);
  const seed = draw.uint32();
  const primaries = Array.from({ length: shape.k }, (_, i) => noise(shape.bytes, seed + i));
  const own = new Stage(facts, supportedVariants()[0]!);
  return { request, truth: encoded(own, request, primaries, seed), seed };
}

/** The arena's code, another one that it has room for, or a plain one, often of the same shape. */
function turnShape(draw: Draw, facts: ClayArena): Shape {
  const { clay, shards, shardBytes } = facts;
  const bytes = BLOCK * draw.between(1, shardBytes / BLOCK);
  const kind = draw.byte() % 6;
  if (kind < 2) return { ...clay, bytes };
  if (kind < 4) return { ...clay, helpers: 0, bytes };
  if (kind === 4) {
    const other = smallCode(draw);
    const fits = other.k + other.m <= shards && Stage.hasRoom(facts, other);
    return { ...(fits ? other : clay), bytes };
  }
  const k = draw.between(1, shards);
  return { k, m: draw.between(0, shards - k), helpers: 0, bytes: 64 * draw.between(1, 9) };
}

import { HoldfastError } from '@holdfast/contracts';
import { StripeArena, supportedVariants } from '@holdfast/erasure';
import { Draw } from '../draw.ts';
import { Violation } from '../target.ts';
import type { ClayCode } from './clay-code.ts';
import { clayCode, nearCode } from './clay-draw.ts';
import { oddNumber } from './odd.ts';
import type { ArenaFacts } from './requests.ts';
import { isPossible } from './rules.ts';

/** More than the largest shape needs, and little enough to be had at any time. */
const MOST_ARENA_BYTES = 2 ** 28;

/** An arena with odd measures: it is refused by its code, or is what was asked for. */
export function attemptArena(input: Uint8Array): void {
  const draw = new Draw(input);
  const facts = oddFacts(draw);
  // An undefined length of scratch is none at all.
  const meant = facts.scratchBytes === undefined ? { ...facts, scratchBytes: 0 } : facts;
  const possible = isPossible(meant);
  if (possible && meant.shards * meant.shardBytes + meant.scratchBytes > MOST_ARENA_BYTES) return;
  const variant = draw.pick(supportedVariants());
  let arena: StripeArena;
  try {
    arena = StripeArena.create({ ...facts, variant });
  } catch (error) {
    if (!possible && HoldfastError.is(error, 'CODE_PARAMETERS')) return;
    throw error;
  }
  if (!possible) throw new Violation(`There is an arena of ${JSON.stringify(facts)}.`);
  const end = arena.scratch.byteOffset + meant.scratchBytes;
  const last = arena.shardOffset(meant.shards - 1) + meant.shardBytes;
  const { byteLength } = arena.memory.buffer;
  if (last > arena.scratch.byteOffset || end > byteLength || byteLength - end >= 65_536)
    throw new Violation('Its parts do not fit its memory.');
}

function oddFacts(draw: Draw): ArenaFacts {
  const good = {
    shards: draw.between(1, 255),
    shardBytes: 64 * draw.between(1, 40),
    scratchBytes: draw.between(0, 9999),
    clay: draw.chance(128) ? clayCode(draw) : undefined,
  };
  const field = draw.pick(['shards', 'shardBytes', 'scratchBytes', 'clay', 'clay', 'none'] as const);
  if (field === 'none') return good;
  if (field === 'clay') return { ...good, clay: oddClay(draw) };
  return { ...good, [field]: oddNumber(draw, good[field]) };
}

const odd = (value: unknown): ClayCode => value as ClayCode;

/** With an odd number in it, numbers that do not go together, or something else altogether. */
function oddClay(draw: Draw): ClayCode {
  const good = draw.chance(100) ? nearCode(draw) : clayCode(draw);
  const field = draw.pick(['k', 'm', 'helpers', 'helpers', 'none', 'none', 'all'] as const);
  if (field === 'none') return good;
  if (field !== 'all') return { ...good, [field]: oddNumber(draw, good[field]) };
  return draw.pick([
    odd(null),
    odd(0),
    odd(''),
    odd(true),
    odd(13),
    odd('10 + 4'),
    odd({}),
    odd([10, 4, 13]),
  ]);
}

import { HoldfastError } from '@holdfast/contracts';
import { repairHelpers, repairRange } from '@holdfast/erasure';
import { Draw } from '../draw.ts';
import { Violation } from '../target.ts';
import { type ClayCode, isClayCode, matesOf, partOf } from './clay-code.ts';
import { clayCode, nearCode } from './clay-draw.ts';
import { oddList, oddNumber } from './odd.ts';
import { areShards } from './rules.ts';

/** Who helps and with what, asked about odd shards of odd codes: what the specification says, or a refusal. */
export function attemptHelpers(input: Uint8Array): void {
  const draw = new Draw(input);
  const drawn = draw.chance(40) ? nearCode(draw) : clayCode(draw);
  const shards = drawn.k + drawn.m;
  const all = draw.subset(shards, draw.between(Math.max(0, shards - 3), shards));
  const lost = draw.between(0, shards - 1);
  const code = draw.chance(40) ? { ...drawn, helpers: oddNumber(draw, drawn.helpers) } : drawn;
  const asked = draw.chance(40) ? oddNumber(draw, lost) : lost;
  const available = draw.chance(40) ? oddList(draw, all, drawn.k) : all;
  const good = isClayCode(code) && areShards([asked], shards);
  const part = orRefused(good, () => repairRange(code, asked));
  const chosen = orRefused(good && areShards(available, shards), () => repairHelpers(code, asked, available));
  if (part !== REFUSED) checkPart(code, asked, part);
  if (chosen !== REFUSED) checkChoice(code, asked, available, chosen);
}

const REFUSED = Symbol('refused');

function orRefused<T>(good: boolean, act: () => T): T | typeof REFUSED {
  try {
    const result = act();
    if (good) return result;
  } catch (error) {
    if (!good && HoldfastError.is(error, 'CODE_PARAMETERS')) return REFUSED;
    throw error;
  }
  throw new Violation('It was not refused as CODE_PARAMETERS.');
}

function checkPart(code: ClayCode, lost: number, named: ReturnType<typeof repairRange>): void {
  const { offset, length, period } = partOf(code, lost);
  if (named.offset !== offset || named.length !== length || named.period !== period)
    throw new Violation('repairRange names other bytes than the specification.');
}

/** As many as are needed, the lost one's column among them; none only where that is not to be had. */
function checkChoice(
  code: ClayCode,
  lost: number,
  available: readonly number[],
  chosen: readonly number[] | null,
): void {
  const others = new Set(available.filter((shard) => shard !== lost));
  const mates = matesOf(code, lost);
  const possible = others.size >= code.helpers && mates.every((mate) => others.has(mate));
  const right =
    chosen === null
      ? !possible
      : chosen.length === code.helpers &&
        new Set(chosen).size === chosen.length &&
        chosen.every((shard) => others.has(shard)) &&
        mates.every((mate) => chosen.includes(mate));
  if (!right) throw new Violation('repairHelpers chooses others than the specification allows.');
}

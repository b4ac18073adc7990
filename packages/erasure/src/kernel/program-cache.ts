import { decodeRecipe, encodeRecipe } from '../decode-matrix.ts';
import { parityRows } from '../generator-matrix.ts';
import { BoundedCache } from './bounded-cache.ts';
import { type Program, programOf } from './program.ts';

const programs = new BoundedCache<Program>(({ tables }) => tables.byteLength);

export function encodeProgram(k: number, m: number): Program {
  return programs.get(`encode ${k} ${m}`, () => programOf(encodeRecipe(k, m)));
}

/** @param present ascending, @param wanted as for `decodeRecipe`. */
export function decodeProgram(k: number, present: readonly number[], wanted: readonly number[]): Program {
  const inputs = present.slice(0, k);
  return programs.get(`decode ${k} ${inputs} ${wanted}`, () => programOf(decodeRecipe(k, inputs, wanted)));
}

/** Adds coefficient × (new + old) to each parity shard; the caller puts the old content's address second. */
export function updateProgram(k: number, m: number, index: number): Program {
  return programs.get(`update ${k} ${m} ${index}`, () => {
    const parities = Array.from({ length: m }, (_, i) => i);
    return programOf({
      inputs: [index, index],
      outputs: parities.map((parity) => k + parity),
      coefficients: parityRows(parities, [index, index]),
    });
  });
}

export const programCacheBytes = (): { held: number; limit: number } => programs.size;

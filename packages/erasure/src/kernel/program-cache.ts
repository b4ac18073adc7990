import { decodeRecipe, encodeRecipe, type Recipe } from '../decode-matrix.ts';
import { parityRows } from '../generator-matrix.ts';
import { type Program, programOf } from './program.ts';

const MAX_BYTES = 8 * 1024 * 1024;

/** Programs by what they do, least recently used first; one cache serves all arenas of a thread. */
const cache = new Map<string, Program>();
let cachedBytes = 0;

function cached(key: string, recipe: () => Recipe): Program {
  const known = cache.get(key);
  if (known) {
    cache.delete(key);
    cache.set(key, known);
    return known;
  }
  const program = programOf(recipe());
  cache.set(key, program);
  cachedBytes += costOf(key, program);
  for (const [oldKey, old] of cache) {
    if (cachedBytes <= MAX_BYTES || old === program) break;
    cache.delete(oldKey);
    cachedBytes -= costOf(oldKey, old);
  }
  return program;
}

const costOf = (key: string, program: Program): number => 2 * key.length + program.tables.byteLength + 512;

export function encodeProgram(k: number, m: number): Program {
  return cached(`encode ${k} ${m}`, () => encodeRecipe(k, m));
}

/** @param present ascending, @param wanted as for `decodeRecipe`. */
export function decodeProgram(k: number, present: readonly number[], wanted: readonly number[]): Program {
  const inputs = present.slice(0, k);
  return cached(`decode ${k} ${inputs} ${wanted}`, () => decodeRecipe(k, inputs, wanted));
}

/** Adds coefficient × (new + old) to each parity shard; the caller puts the old content's address second. */
export function updateProgram(k: number, m: number, index: number): Program {
  return cached(`update ${k} ${m} ${index}`, () => {
    const parities = Array.from({ length: m }, (_, i) => i);
    return {
      inputs: [index, index],
      outputs: parities.map((parity) => k + parity),
      coefficients: parityRows(parities, [index, index]),
    };
  });
}

/** Bytes held now and at most; for tests. */
export const programCacheBytes = (): { held: number; limit: number } => ({
  held: cachedBytes,
  limit: MAX_BYTES,
});

import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { GearChunker } from '../src/chunking/index.ts';

/** Changing any of these makes every owner's next backup store everything again. */
describe('frozen borders', () => {
  const content = createHash('shake256', { outputLength: 4 * 1024 * 1024 })
    .update('holdfast chunking fixture')
    .digest();

  const lengths = (key: Uint8Array): number[] => {
    const chunker = new GearChunker({ key });
    const result: number[] = [];
    for (let at = 0; at < content.length; at += result.at(-1)!)
      result.push(chunker.cut(content.subarray(at), true)!);
    return result;
  };

  it('with the key of 32 zero bytes', () => {
    expect(lengths(new Uint8Array(32))).toEqual([
      168145, 337058, 280408, 161423, 308745, 334099, 134124, 295060, 190249, 223547, 258598, 307059, 236349,
      285588, 116147, 324630, 81025, 152050,
    ]);
  });

  it('with another key', () => {
    expect(lengths(Uint8Array.from({ length: 32 }, (_, i) => i))).toEqual([
      160828, 96799, 223173, 305564, 193632, 249706, 235646, 229031, 227617, 231858, 185398, 240596, 255661,
      227915, 217631, 224322, 334716, 282112, 72099,
    ]);
  });
});

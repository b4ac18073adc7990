import { randomBytes } from 'node:crypto';
import type { MemorySourceObject } from '@holdfast/testing/memory-source';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backUp, database, expectRestores, lying, randomFile, rejection } from './content.ts';
import { newVault } from './vaults.ts';

interface Edit {
  readonly at: number;
  readonly bytes: number;
}

interface Step {
  readonly edits: readonly Edit[];
  /** The content's new length as a share of the old one. */
  readonly scale: number;
}

const step = fc.record<Step>({
  edits: fc.array(
    fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), bytes: fc.integer({ min: 1, max: 5_000 }) }),
    { maxLength: 6 },
  ),
  scale: fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, fc.double({ min: 0.3, max: 1.7, noNaN: true })),
});

function edited(content: Uint8Array, { edits, scale }: Step): Uint8Array {
  const length = Math.round(content.length * scale);
  const next = Buffer.concat([
    content.subarray(0, length),
    randomBytes(Math.max(0, length - content.length)),
  ]);
  for (const { at, bytes } of edits) randomBytes(bytes).copy(next, Math.floor(at * next.length));
  return next;
}

describe('content cut by blocks', { timeout: 90_000 }, () => {
  it('restores every snapshot of a content that changes, grows and shrinks, for every block size', async () => {
    const scenario = fc.record({
      blockBytes: fc.constantFrom(512, 1024, 4096, 8192, 65_536),
      bytes: fc.integer({ min: 1, max: 900_000 }),
      steps: fc.array(step, { minLength: 2, maxLength: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(scenario, async ({ blockBytes, bytes, steps }) => {
        const vault = await newVault();
        let content: Uint8Array = randomBytes(bytes);
        const taken = [];
        for (const next of [{ edits: [], scale: 1 }, ...steps]) {
          content = edited(content, next);
          const objects = [database(content, blockBytes)];
          taken.push({ objects, id: (await backUp(vault.engine, objects)).snapshot.id });
        }
        for (const { objects, id } of taken) await expectRestores(vault.engine, id, objects);
      }),
      { numRuns: 6 },
    );
  });

  it('restores each of twenty snapshots in a row', async () => {
    const vault = await newVault();
    let content: Uint8Array = randomBytes(1_200_000 + 77);
    const taken = [];
    for (let i = 0; i < 20; i++) {
      const objects = [database(content)];
      const { snapshot } = await backUp(vault.engine, objects);
      taken.push({ objects, id: snapshot.id });
      if (i > 0) expect(snapshot.totals.newBytes).toBeLessThan(60_000);
      const edits = [
        { at: Math.random(), bytes: 3_000 },
        { at: Math.random(), bytes: 10 },
      ];
      content = edited(content, { edits, scale: 1 });
    }
    for (const { objects, id } of taken) await expectRestores(vault.engine, id, objects);
  });

  it('compares blocks with their own past when several such contents lie side by side', async () => {
    const blockBytes = 4096;
    const vault = await newVault();
    const short: MemorySourceObject = { ...database(randomBytes(blockBytes + 100), blockBytes), path: 'a' };
    // Only the end of the second block is not zero: bytes 3996 to 8091 are, as a misplaced look would see them.
    const before = Buffer.alloc(4 * blockBytes);
    before.fill(7, 2 * blockBytes - 100, 2 * blockBytes);
    const after = Buffer.alloc(4 * blockBytes);
    for (const content of [before, after]) {
      const objects = [short, { ...database(content, blockBytes), path: 'b' }];
      const { snapshot } = await backUp(vault.engine, objects);
      await expectRestores(vault.engine, snapshot.id, objects);
    }
  });

  it('survives a change of the block size between snapshots', async () => {
    const vault = await newVault();
    const content = randomBytes(500_000);
    for (const blockBytes of [4096, 1024, 65_536]) {
      const objects = [database(content, blockBytes)];
      const { snapshot } = await backUp(vault.engine, objects);
      await expectRestores(vault.engine, snapshot.id, objects);
    }
  });

  it('fails when the source gives more or less than it announced', async () => {
    const vault = await newVault();
    const { content } = randomFile('', 300_000);
    for (const lie of [-4096, 4096]) {
      const source = lying(database(content!), lie);
      const error = await rejection(backUp(vault.engine, source));
      expect(error.code).toBe('SOURCE_CHANGED');
    }
    expect(await vault.catalog.snapshots()).toEqual([]);
  });
});

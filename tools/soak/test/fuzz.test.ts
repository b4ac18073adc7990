import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HoldfastError } from '@holdfast/contracts';
import { describe, expect, it } from 'vitest';
import { Campaign } from '../fuzz/campaign.ts';
import { Dice } from '../fuzz/dice.ts';
import { mutate } from '../fuzz/mutate.ts';
import { fuzzOptions } from '../fuzz/options.ts';
import { readJournal, writeJournal } from '../fuzz/protocol.ts';
import { SMALL, type Target } from '../fuzz/target.ts';

/** What a fuzzer is for, each as a decoder that has it. */
const DEFECTS: Readonly<Record<string, Partial<Target>>> = {
  'an error of no code': {
    attempt: (input) => Buffer.from(input).readUInt32BE(input.length - 4),
  },
  'a code that was not promised': {
    attempt: () => {
      throw new HoldfastError('INTERNAL', 'oh');
    },
  },
  'a changed input': {
    attempt: (input) => input.fill(0),
  },
  'reading past its input': {
    attempt: (input) => new Uint8Array(input.buffer).length,
    confirm: (length: number, input) => {
      if (length !== input.length) throw new Error('longer');
    },
  },
  'a result that shares memory with the input': {
    attempt: (input) => input,
    confirm: (kept: Uint8Array, input) => expect(kept).toEqual(input),
  },
  'an allocation that the input announces': {
    attempt: (input) => new Uint8Array(input.length > 4 ? 2 ** 22 : 0),
    allocation: SMALL,
  },
};

const target = (defect: Partial<Target>): Target => ({
  name: 'test',
  seeds: () => [Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)],
  refusals: ['FORMAT_INVALID'],
  attempt: () => null,
  ...defect,
});

async function campaignOn(defect: Partial<Target>, runs = 100): Promise<Campaign> {
  const campaign = new Campaign(target(defect), {
    seed: 1,
    guided: false,
    timed: false,
    goesOn: (totals) => totals.runs < runs,
  });
  await campaign.run();
  return campaign;
}

describe('a campaign', () => {
  it.each(Object.entries(DEFECTS))('finds %s', async (_, defect) => {
    const { findings } = await campaignOn(defect);
    expect(findings.length).toBeGreaterThan(0);
  });

  it('finds nothing where nothing is, and counts', async () => {
    const refusing = await campaignOn({
      attempt: (input) => {
        if (input[0] !== 1) throw new HoldfastError('FORMAT_INVALID', 'no');
      },
    });
    expect(refusing.findings).toEqual([]);
    const { runs, accepted, refused } = refusing.totals;
    expect(runs).toBe(100);
    expect(accepted + refused).toBe(100);
    expect(Math.min(accepted, refused)).toBeGreaterThan(5);
  });

  it('keeps inputs that reach new code, and thereby gets behind one check after the other', async () => {
    const { decodeStripe } = await import('@holdfast/formats');
    const options = {
      seed: 1,
      guided: true,
      timed: false,
      goesOn: ({ runs }: { runs: number }) => runs < 300,
    };
    const campaign = new Campaign(target({ attempt: decodeStripe }), options);
    await campaign.run();
    expect(campaign.findings).toEqual([]);
    expect(campaign.totals.reached).toBeGreaterThan(1000);
    expect(campaign.totals.corpus).toBeGreaterThan(3);
  });
});

describe('mutation', () => {
  it('follows from the seed, and repairs what it is told to', () => {
    const corpus = [Buffer.from('83010203', 'hex'), Buffer.from('a161616162', 'hex')];
    const inputs = (seed: number) => {
      const dice = new Dice(seed);
      return Array.from({ length: 200 }, () => Buffer.from(mutate({}, corpus, dice, 100)).toString('hex'));
    };
    expect(inputs(1)).toEqual(inputs(1));
    expect(inputs(1)).not.toEqual(inputs(2));
    expect(new Set(inputs(1)).size).toBeGreaterThan(150);
    const repaired = Array.from({ length: 50 }, (_, i) =>
      mutate({ repair: () => Uint8Array.of(7) }, corpus, new Dice(i), 100),
    );
    expect(repaired.filter((input) => input.length === 1 && input[0] === 7).length).toBeGreaterThan(15);
  });
});

describe('its options', () => {
  it('have defaults, and refuse nonsense', () => {
    expect(fuzzOptions([])).toMatchObject({ seconds: 120, runs: null, targets: [], json: false });
    expect(fuzzOptions(['--runs', '5', '--target', 'a', '--target', 'b', '--seed', '0'])).toMatchObject({
      seconds: null,
      runs: 5,
      targets: ['a', 'b'],
      seed: 0,
    });
    expect(fuzzOptions(['--help'])).toBeNull();
    for (const wrong of [['--runs', '0'], ['--seconds', 'x'], ['--seed', '1.5'], ['--fast']])
      expect(() => fuzzOptions(wrong)).toThrow();
  });
});

it('the journal has the input that is under way, whatever longer ones came before', () => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-journal-'));
  const path = join(directory, 'current');
  const file = openSync(path, 'w');
  try {
    expect(readJournal(readFileSync(path))).toEqual({ run: 0, input: new Uint8Array(0) });
    writeJournal(file, 8, Uint8Array.of(9, 9, 9, 9));
    writeJournal(file, 9, Uint8Array.of(1, 2));
    expect(readJournal(readFileSync(path))).toEqual({ run: 9, input: Buffer.of(1, 2) });
  } finally {
    closeSync(file);
    rmSync(directory, { recursive: true });
  }
});

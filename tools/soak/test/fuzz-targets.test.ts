import { describe, expect, it } from 'vitest';
import { Campaign } from '../fuzz/campaign.ts';
import { allTargets } from '../fuzz/targets/index.ts';

/** Enough that the targets themselves are known to work: `npm run soak:fuzz` is for finding things. */
const RUNS = 300;

const listed = (await allTargets()).map(({ target }) => [target.name, target] as const);

describe('decoders under mutated input', () => {
  it.each(listed)('%s', async (_, target) => {
    const campaign = new Campaign(target, { seed: 1, guided: false, goesOn: ({ runs }) => runs < RUNS });
    await campaign.run();
    expect(campaign.findings.map(({ run, reason }) => `run ${run}: ${reason}`)).toEqual([]);
    // Neither all nothing but noise nor all good.
    expect(campaign.totals.runs).toBe(RUNS);
    expect(campaign.totals.accepted).toBeGreaterThan(0);
  });
});

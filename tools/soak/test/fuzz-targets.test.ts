import { describe, expect, it } from 'vitest';
import { Campaign } from '../fuzz/campaign.ts';
import { allTargets } from '../fuzz/targets/index.ts';

/** Enough that the targets themselves are known to work: `npm run soak:fuzz` is for finding things. */
const RUNS = 300;
/** These take milliseconds a run, and corruptions have a test of their own. */
const SLOW_RUNS: Readonly<Record<string, number>> = {
  kernel: 150,
  'kernel-clay': 40,
  'kernel-turns': 20,
  corruption: 3,
};

const listed = (await allTargets()).map(
  ({ group, target }) => [target.name, target, SLOW_RUNS[target.name] ?? SLOW_RUNS[group] ?? RUNS] as const,
);

describe('decoders under mutated input', () => {
  it.each(listed)('%s', async (_, target, count) => {
    const campaign = new Campaign(target, {
      seed: 1,
      guided: false,
      timed: false,
      goesOn: ({ runs }) => runs < count,
    });
    await campaign.run();
    expect(campaign.findings.map(({ run, reason }) => `run ${run}: ${reason}`)).toEqual([]);
    // Neither all nothing but noise nor all good.
    expect(campaign.totals.runs).toBe(count);
    expect(campaign.totals.accepted).toBeGreaterThan(0);
  });
});

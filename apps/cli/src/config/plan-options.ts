import { HoldfastError } from '@holdfast/contracts';
import { customLevel, inRegions, type SlaLevel, type SlaSettings, slaLevel } from '@holdfast/placement/sla';
import { parseCount } from '../units/count.ts';
import { parseRate } from '../units/rate.ts';
import { parseUptime } from '../units/uptime.ts';

export interface PlanOptions {
  readonly sla: string;
  readonly regions?: string;
  readonly scheme: string;
  readonly separation: string;
  readonly churn: string;
  readonly assumeUptime: string;
  readonly minK: string;
  readonly maxK: string;
  readonly spares: string;
}

/** `gold`, `99.95`, `99.95%` or `0.9995`. USAGE otherwise. */
export function parseLevel({ sla, regions }: PlanOptions): SlaLevel {
  const level = /^[a-z]+$/i.test(sla) ? slaLevel(sla) : customLevel(parseUptime(sla));
  return regions === undefined ? level : inRegions(level, parseCount(regions, '--regions', 1, 255));
}

export function parsePlanSettings(options: PlanOptions): Partial<SlaSettings> {
  const { scheme } = options;
  if (scheme !== 'erasure' && scheme !== 'replication') {
    throw new HoldfastError('USAGE', `There is no scheme "${scheme}".`, {
      hint: 'Choose erasure (one copy of each shard) or replication (several).',
      details: { option: '--scheme', value: scheme },
    });
  }
  const maxK = parseCount(options.maxK, '--max-k', 2, 200);
  return {
    scheme,
    separation: parseCount(options.separation, '--separation', 2, 3),
    churnPerDay: parseRate(options.churn),
    assumedUptime: parseUptime(options.assumeUptime),
    minK: parseCount(options.minK, '--min-k', 2, maxK),
    maxK,
    spares: parseCount(options.spares, '--spares', 0, 10_000),
  };
}

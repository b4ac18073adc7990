import { HoldfastError, MAX_STRIPE_SHARDS } from '@holdfast/contracts';

/** What is asked for: how often a partition can be rebuilt, and what it must be able to lose. */
export interface SlaLevel {
  readonly name: string;
  /** Share of time in which a partition can be rebuilt, strictly between 0 and 1. */
  readonly uptime: number;
  /** Least replication factor R: a partition bears the loss of any R − 1 holders. */
  readonly replication: number;
  /** Fewest regions (first two components of a peer's region) that a partition lies in. */
  readonly regions: number;
  /** Fewest continents (first component). */
  readonly continents: number;
}

/** The document's table, least first. "Global" is read as three continents. */
export const SLA_LEVELS: readonly SlaLevel[] = [
  { name: 'bronze', uptime: 0.99, replication: 2, regions: 1, continents: 1 },
  { name: 'silver', uptime: 0.999, replication: 3, regions: 2, continents: 1 },
  { name: 'gold', uptime: 0.9999, replication: 5, regions: 3, continents: 1 },
  { name: 'platinum', uptime: 0.99999, replication: 7, regions: 3, continents: 3 },
];

/** USAGE for a name that is not in the table. */
export function slaLevel(name: string): SlaLevel {
  const found = SLA_LEVELS.find((level) => level.name === name.toLowerCase());
  if (found) return found;
  throw new HoldfastError('USAGE', `There is no SLA level "${name}".`, {
    hint: `Choose ${SLA_LEVELS.map((level) => level.name).join(', ')}, or give a percentage such as 99.95.`,
    details: { field: 'level', value: name },
  });
}

/** An uptime of one's own. Replication and regions are those of the highest level that it exceeds or equals. */
export function customLevel(uptime: number): SlaLevel {
  const base = SLA_LEVELS.findLast((level) => level.uptime <= uptime) ?? SLA_LEVELS[0]!;
  const level = { ...base, name: `${Number((uptime * 100).toPrecision(15))} %`, uptime };
  checkLevel(level);
  return level;
}

/** The same with another number of regions; never on more continents than regions. */
export function inRegions(level: SlaLevel, regions: number): SlaLevel {
  if (regions === level.regions) return level;
  const name = `${level.name} in ${regions} region${regions === 1 ? '' : 's'}`;
  const changed = { ...level, name, regions, continents: Math.min(level.continents, Math.max(1, regions)) };
  checkLevel(changed);
  return changed;
}

/** USAGE, naming field and value. */
export function checkLevel(level: SlaLevel): void {
  if (!(level.uptime > 0 && level.uptime < 1)) {
    throw new HoldfastError('USAGE', `SLA uptime is ${level.uptime}; it must lie between 0 and 1.`, {
      hint: 'No storage is up all of the time: 99.99 % is 0.9999.',
      details: { field: 'uptime', value: level.uptime },
    });
  }
  whole('replication', level.replication, 1, MAX_STRIPE_SHARDS);
  whole('regions', level.regions, 1, MAX_STRIPE_SHARDS);
  whole('continents', level.continents, 1, level.regions);
}

function whole(field: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw new HoldfastError(
    'USAGE',
    `SLA ${field} is ${value}; it must be a whole number from ${least} to ${most}.`,
    {
      details: { field, value },
    },
  );
}

/** What a double near 1 can say of the distance to 1. */
const GRAIN = 2 ** -53;

/**
 * Share of time in which a partition may be out of reach. 1 − 0.9999 is not quite 0.0001 in floating point; what the
 * subtraction invented is rounded away, so that a swarm that is exactly as good as was asked for passes.
 */
export function allowedUnavailability({ uptime }: SlaLevel): number {
  const difference = 1 - uptime;
  const digits = Math.floor(Math.log10(difference / GRAIN));
  return Number(difference.toPrecision(Math.min(15, Math.max(1, digits))));
}

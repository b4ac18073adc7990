import type { Random } from '@holdfast/contracts';
import { seededRandom } from '@holdfast/testing/seeded-random';

export const SOURCES = ['database', 'files'] as const;
export type SourceName = (typeof SOURCES)[number];

/** About as many as the larger edits send. */
const MOST_SHARDS = 24;

export interface Kill {
  readonly victim: 'owner' | 'peer';
  /** Which peer: from 0 to below 1 over those there are. */
  readonly pick: number;
  /** How far into the run, as a share of what such a run takes undisturbed; beyond 1 it may come too late. */
  readonly at: number;
  /** For backups, instead: as soon as so many more shards lie on the peers' disks. Null: by time. */
  readonly shards: number | null;
}

export interface Round {
  readonly number: number;
  readonly action: 'backup' | 'restore';
  readonly source: SourceName;
  /** Whether the source changes before it is backed up: without, a backup cut short goes on with the same data. */
  readonly edit: boolean;
  /** Which snapshot a restore takes: from 0 to below 1, over all there are. */
  readonly pick: number;
  /** Whether peers that are down come back before the run. */
  readonly revive: boolean;
  readonly kills: readonly Kill[];
}

/** A round depends on the seed and its number alone, so what happened in earlier ones does not shift the schedule. */
export function roundOf(seed: number, number: number): Round {
  const random = seededRandom(`soak ${seed} round ${number}`);
  const chance = (share: number): boolean => random.uniform() < share;
  return {
    number,
    action: chance(0.72) ? 'backup' : 'restore',
    source: chance(0.6) ? 'database' : 'files',
    edit: chance(0.6),
    pick: random.uniform(),
    revive: chance(0.7),
    kills: killsOf(random),
  };
}

/** Where the edits of a round come from. */
export const editRandom = (seed: number, round: number): Random => seededRandom(`soak ${seed} edit ${round}`);

/** Nobody in every tenth round, so that there are snapshots; mostly the owner, some peers, or several at once. */
function killsOf(random: Random): Kill[] {
  const chance = (share: number): boolean => random.uniform() < share;
  const kill = (victim: Kill['victim']): Kill => ({
    victim,
    pick: random.uniform(),
    // Mostly in the middle, where data is on its way; starting and ending take their share too.
    at: 0.2 + 0.425 * (random.uniform() + random.uniform()),
    shards: chance(0.5) ? 1 + Math.floor(MOST_SHARDS * random.uniform()) : null,
  });
  const lot = random.uniform();
  if (lot < 0.1) return [];
  if (lot < 0.45) return [kill('owner')];
  if (lot < 0.65) return [kill('peer')];
  if (lot < 0.85) return [kill('owner'), kill('peer')];
  return [kill('peer'), kill('peer'), ...(lot < 0.92 ? [kill('owner')] : [])];
}

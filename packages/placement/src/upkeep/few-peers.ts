import { SOFT_RULES, type SoftRule } from '../placement-rules.ts';
import { checkAtLeast, senseless } from './state.ts';

export interface FewPeersSettings {
  /** Fewer active peers than this are few. */
  readonly fewBelow: number;
  /** From so many on they are enough again. */
  readonly enoughFrom: number;
  /** Most parity shards that this adds. */
  readonly maxExtraParity: number;
  /** A bucket is configured to fall back on. */
  readonly cloudConfigured: boolean;
}

/** 10 is the document's. Two more to leave, so that one peer that comes and goes does not switch it back and forth. */
export const defaultFewPeers: FewPeersSettings = {
  fewBelow: 10,
  enoughFrom: 12,
  maxExtraParity: 4,
  cloudConfigured: false,
};

export interface FewPeersState {
  readonly few: boolean;
  readonly activePeers: number;
  /** Peers that are missing until there are enough. */
  readonly missing: number;
  /** Soft rules whose relaxation is to be expected, in the order in which they go. */
  readonly mayRelax: readonly SoftRule[];
  /** Parity shards beyond m to wish for; how many of them peers can hold, `placeableParity` says. */
  readonly extraParity: number;
  readonly cloud: 'not-needed' | 'wished' | 'not-configured';
  /** For people; null when there are enough. */
  readonly alert: string | null;
}

/**
 * Whether the swarm is short of peers, and what follows: soft rules may relax in their order (reputation down to its floor
 * only), partitions get more parity, the cloud helps if there is one, and somebody is told.
 * @param previous null: the first time
 */
export function fewPeersState(
  previous: Pick<FewPeersState, 'few'> | null,
  activePeers: number,
  settings: FewPeersSettings,
): FewPeersState {
  checkFewPeers(activePeers, settings);
  const { fewBelow, enoughFrom, maxExtraParity, cloudConfigured } = settings;
  const few = activePeers < (previous?.few ? enoughFrom : fewBelow);
  if (!few) {
    const nothing = { missing: 0, mayRelax: [], extraParity: 0, alert: null };
    return { few, activePeers, ...nothing, cloud: 'not-needed' };
  }
  return {
    few,
    activePeers,
    missing: enoughFrom - activePeers,
    mayRelax: SOFT_RULES,
    extraParity: maxExtraParity,
    cloud: cloudConfigured ? 'wished' : 'not-configured',
    alert: alertFor(activePeers, settings),
  };
}

function alertFor(active: number, { enoughFrom, cloudConfigured }: FewPeersSettings): string {
  const missing = enoughFrom - active;
  const have = `The swarm has ${active} active ${active === 1 ? 'peer' : 'peers'}; ${missing} more would be enough.`;
  const cloud = cloudConfigured
    ? ' Until then the configured bucket helps.'
    : ' No bucket is configured to fall back on.';
  return `${have} Spread over regions and continents is given up where it must be.${cloud} Invite peers.`;
}

function checkFewPeers(activePeers: number, settings: FewPeersSettings): void {
  const { fewBelow, enoughFrom, maxExtraParity } = settings;
  for (const [field, value] of Object.entries({ activePeers, fewBelow, enoughFrom, maxExtraParity })) {
    if (!Number.isInteger(value)) throw senseless(`${field} is ${value}, not a whole number.`, field, value);
  }
  checkAtLeast('activePeers', activePeers, 0);
  checkAtLeast('fewBelow', fewBelow, 0);
  checkAtLeast('enoughFrom', enoughFrom, fewBelow);
  checkAtLeast('maxExtraParity', maxExtraParity, 0);
}

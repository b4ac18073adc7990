import { type Candidate, checkCandidates, weightOf } from '../candidate.ts';
import { checkNoise, type NoiseSource, type NoiseTerms, noisySteps, normalised } from './noisy-weight.ts';
import {
  charge,
  inEpoch,
  type PrivacyAccount,
  type PrivacyEpoch,
  type WeightRelease,
} from './privacy-account.ts';
import { checkPrivacySettings, type PrivacySettings } from './privacy-settings.ts';

export interface PrivateCandidatesRequest {
  readonly candidates: readonly Candidate[];
  readonly settings: PrivacySettings;
  readonly epoch: PrivacyEpoch;
  /** Of this epoch or an earlier one. */
  readonly account: PrivacyAccount;
  /** A key of 32 secret bytes that serves for nothing else, or randomness. The exponential mechanism takes none. */
  readonly noise: NoiseSource;
  /**
   * Noisy weights from today's facts instead of those of the epoch's beginning, charged once more. When to ask for it must not
   * depend on the facts: by the calendar, say, not because some peer filled up.
   */
  readonly refresh?: boolean | undefined;
}

/**
 * The same candidates with weights that hide their own; for any mode of assignment. To be called before every placement, with
 * the account that the call before returned: a peer keeps the noisy weight that it got first in the epoch.
 * Fails with PLACEMENT_REFUSED (details.rule `privacy-budget`) when new noise exceeds the budget or the epoch is over, and with
 * USAGE for senseless settings, candidates or keys.
 */
export function privateCandidates(request: PrivateCandidatesRequest): {
  readonly candidates: Candidate[];
  readonly account: PrivacyAccount;
} {
  const { candidates, settings, epoch, noise } = request;
  checkPrivacySettings(settings);
  checkCandidates(candidates);
  checkNoise(noise);
  const account = inEpoch(request.account, epoch);
  if (settings.mechanism === 'exponential') {
    return { candidates: candidates.map((peer) => flattened(peer, settings)), account };
  }
  if (candidates.length === 0) return { candidates: [], account };
  return withReleased(candidates, released(account, request), noise);
}

/**
 * The exponential mechanism (McSherry and Talwar, FOCS 2007) chooses p with a probability proportional to exp(ε · u(p) / 2Δ); here the
 * utility u is the normalised weight, which no facts can change by more than Δ = 1. Exponential clocks at these weights choose
 * the first peer, and each further one among those that remain, with these probabilities, but for the grain of their hash:
 * among N peers a choice in about 2³¹ / N goes to another peer than clocks without grain would give it to.
 */
const flattened = (candidate: Candidate, { epsilon, fullWeight }: PrivacySettings): Candidate => ({
  ...candidate,
  weight: Math.exp((epsilon * normalised(weightOf(candidate), fullWeight)) / 2),
});

type Released = PrivacyAccount & { readonly release: WeightRelease };

/** The account with a release under these settings: the one there is, or a new and still empty one that has been charged. */
function released(account: PrivacyAccount, { settings, epoch, refresh }: PrivateCandidatesRequest): Released {
  const { epsilon, fullWeight, gridSteps } = settings;
  const terms = { epsilon, fullWeight, gridSteps };
  const { release } = account;
  if (release && !refresh && areSame(release.terms, terms)) return { ...account, release };
  const charged = charge(account, { for: 'weights', count: 1 }, settings, epoch);
  return { ...charged, release: { number: (release?.number ?? 0) + 1, terms, weights: [] } };
}

const areSame = (a: NoiseTerms, b: NoiseTerms): boolean =>
  a.epsilon === b.epsilon && a.fullWeight === b.fullWeight && a.gridSteps === b.gridSteps;

/** Noise for the peers that have none yet. It costs nothing more: what is charged is what any one peer reveals of itself. */
function withReleased(candidates: readonly Candidate[], account: Released, noise: NoiseSource) {
  const { number, terms, weights } = account.release;
  const steps = new Map(weights.map((entry) => [entry.peer, entry.steps]));
  const occasion = { epoch: account.epoch, release: number };
  const fresh = candidates
    .filter(({ id }) => !steps.has(id))
    .map((peer) => ({
      peer: peer.id,
      steps: noisySteps({ peer: peer.id, weight: weightOf(peer), terms, occasion, noise }),
    }));
  for (const entry of fresh) steps.set(entry.peer, entry.steps);
  const release =
    fresh.length > 0 ? { ...account.release, weights: [...weights, ...fresh] } : account.release;
  return {
    candidates: candidates.map((peer) => ({ ...peer, weight: steps.get(peer.id) })),
    account: { ...account, release },
  };
}

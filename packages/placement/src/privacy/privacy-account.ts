import { HoldfastError, type PeerId } from '@holdfast/contracts';
import type { NoiseTerms } from './noisy-weight.ts';
import { checkPrivacySettings, epsilonOf, microOf, type PrivacySettings } from './privacy-settings.ts';

/**
 * What one epoch has cost and revealed. Plain data; to be stored before anything is placed by it, since what a crash forgets is
 * revealed all the same.
 */
export interface PrivacyAccount {
  readonly epoch: number;
  /** What was charged, in the order of the first charge of its kind. */
  readonly spent: readonly PrivacyCharge[];
  /** The noisy weights in use; null before the first. */
  readonly release: WeightRelease | null;
}

/** Costs count × microEpsilon millionths of ε. */
export interface PrivacyCharge {
  readonly for: 'weights' | 'choices';
  readonly microEpsilon: number;
  readonly count: number;
}

export interface WeightRelease {
  /** 1 for the epoch's first. */
  readonly number: number;
  readonly terms: NoiseTerms;
  /** Of every peer that was a candidate since, steps of the grid. They stay as they are, whatever becomes of the peer's facts. */
  readonly weights: readonly { readonly peer: PeerId; readonly steps: number }[];
}

export interface PrivacyEpoch {
  /** Counts up; never used again once a later one has begun. */
  readonly number: number;
  /** Wall clock, ms; for the hint. */
  readonly endsAt?: number | undefined;
}

export const openPrivacyAccount = (epoch: number): PrivacyAccount => ({ epoch, spent: [], release: null });

/** ε spent in the account's epoch. */
export const privacySpent = (account: PrivacyAccount): number => epsilonOf(microSpent(account));

const microSpent = ({ spent }: PrivacyAccount): number =>
  spent.reduce((sum, { microEpsilon, count }) => sum + microEpsilon * count, 0);

/**
 * The account with `choices` further choices by the exponential mechanism paid for, to be asked for before they are made: k + m (times
 * copies) for a new partition, one for a shard that moves. With the Laplace mechanism choices are free.
 * Fails with PLACEMENT_REFUSED (details.rule `privacy-budget`) when that exceeds the budget or the epoch is over, and with USAGE.
 */
export function chargeChoices(request: {
  readonly account: PrivacyAccount;
  readonly settings: PrivacySettings;
  readonly epoch: PrivacyEpoch;
  readonly choices: number;
}): PrivacyAccount {
  const { settings, epoch, choices } = request;
  checkPrivacySettings(settings);
  if (!Number.isSafeInteger(choices) || choices < 0) {
    throw new HoldfastError('USAGE', `${choices} choices cannot be charged.`, {
      details: { field: 'choices', value: choices },
    });
  }
  const account = inEpoch(request.account, epoch);
  if (settings.mechanism === 'laplace' || choices === 0) return account;
  return charge(account, { for: 'choices', count: choices }, settings, epoch);
}

/** The account as it stands in that epoch: a new one begins with nothing spent, one that is over spends nothing more. */
export function inEpoch(account: PrivacyAccount, epoch: PrivacyEpoch): PrivacyAccount {
  if (!Number.isSafeInteger(epoch.number) || epoch.number < 0) {
    throw new HoldfastError('USAGE', `Privacy epoch ${epoch.number} is not a whole number of at least 0.`, {
      details: { field: 'epoch', value: epoch.number },
    });
  }
  checkAccount(account);
  if (epoch.number === account.epoch) return account;
  if (epoch.number > account.epoch) return openPrivacyAccount(epoch.number);
  throw new HoldfastError(
    'PLACEMENT_REFUSED',
    `Privacy epoch ${epoch.number} is over: epoch ${account.epoch} has begun.`,
    {
      hint: 'Check the clock of this machine.',
      details: { rule: 'privacy-budget', epoch: epoch.number, begun: account.epoch },
    },
  );
}

/** An account that was stored badly must not pass for one with nothing spent. */
function checkAccount({ epoch, spent }: PrivacyAccount): void {
  const numbers = [epoch, ...spent.flatMap(({ microEpsilon, count }) => [microEpsilon, count])];
  const wrong = numbers.find((number) => !Number.isSafeInteger(number) || number < 0);
  if (wrong === undefined) return;
  throw new HoldfastError(
    'USAGE',
    `The privacy account of epoch ${epoch} holds ${wrong}, which is no count.`,
    {
      details: { field: 'account', value: wrong },
    },
  );
}

/** @param epoch of the account */
export function charge(
  account: PrivacyAccount,
  { for: reason, count }: Pick<PrivacyCharge, 'for' | 'count'>,
  settings: PrivacySettings,
  epoch: PrivacyEpoch,
): PrivacyAccount {
  const microEpsilon = microOf(settings.epsilon);
  const left = microOf(settings.budget) - microSpent(account);
  // Beyond 2⁵³ the product is not exact, but far more than any budget.
  if (!(microEpsilon * count <= left)) throw overspent(account, count * settings.epsilon, settings, epoch);
  const same = (entry: PrivacyCharge) => entry.for === reason && entry.microEpsilon === microEpsilon;
  const before = account.spent.find(same);
  const entry = { for: reason, microEpsilon, count: count + (before?.count ?? 0) };
  const spent = before
    ? account.spent.map((other) => (other === before ? entry : other))
    : [...account.spent, entry];
  return { ...account, spent };
}

function overspent(
  account: PrivacyAccount,
  wanted: number,
  settings: PrivacySettings,
  { number, endsAt }: PrivacyEpoch,
): HoldfastError {
  const spent = privacySpent(account);
  const next = endsAt === undefined ? '' : `, which begins at ${new Date(endsAt).toISOString()}`;
  return new HoldfastError(
    'PLACEMENT_REFUSED',
    `Privacy epoch ${number}: ε of ${spent} is spent and ${wanted} more is wanted, but the budget is ${settings.budget}.`,
    {
      hint: `Wait for epoch ${number + 1}${next}, lower epsilon, or raise the budget.`,
      details: { rule: 'privacy-budget', epoch: number, spent, wanted, budget: settings.budget, endsAt },
    },
  );
}

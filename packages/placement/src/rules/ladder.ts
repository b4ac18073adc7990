/**
 * A soft rule's way from "as asked" to "as far as it may give", a step at a time. Every step admits whatever the one before it
 * admits, which is what lets the least step be found one rule after another.
 */
export interface Ladder<Limit> {
  /** The first is the rule as it was asked for, the last is as far as it goes. */
  readonly steps: readonly Limit[];
  /** Why a placement that had to go as far as `limit` did so, for people. */
  reason(limit: Limit): string;
}

export const lastStep = <Limit>(ladder: Ladder<Limit>): Ladder<Limit> => ({
  ...ladder,
  steps: ladder.steps.slice(-1),
});

export const percent = (share: number): string => `${Number((share * 100).toFixed(1))} %`;

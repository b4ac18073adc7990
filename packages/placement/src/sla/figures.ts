/** One availability in the units that people use. */
export interface AvailabilityFigures {
  /** 0 … 1. For anything near 1 look at `unavailability`, which has digits where this has none. */
  readonly availability: number;
  readonly unavailability: number;
  /** −log10 of the unavailability: 3 for 99.9 %. Infinity when it is never down. */
  readonly nines: number;
  readonly downtimeSecondsPerYear: number;
}

/** The Julian year. */
const SECONDS_PER_YEAR = 365.25 * 86_400;

export const availabilityFigures = (unavailability: number): AvailabilityFigures => ({
  availability: 1 - unavailability,
  unavailability,
  nines: unavailability > 0 ? Math.max(0, -Math.log10(unavailability)) : Number.POSITIVE_INFINITY,
  downtimeSecondsPerYear: unavailability * SECONDS_PER_YEAR,
});

const MOST_DECIMALS = 20;

/** `99.9962 %`: two digits of what is missing to 100, at most, and never rounded up to more than there is. */
export function formatAvailability(unavailability: number): string {
  if (unavailability <= 0) return '100 %';
  const leading = Math.ceil(-Math.log10(unavailability * 100));
  const decimals = Math.min(MOST_DECIMALS, Math.max(2, leading + 1));
  const whole = 10n ** BigInt(decimals + 2);
  const missing = BigInt(Math.ceil(unavailability * 10 ** (decimals + 2) * (1 - 1e-12)));
  const digits = String(whole - missing).padStart(decimals + 1, '0');
  const fraction = digits.slice(-decimals).replace(/0+$/, '');
  return `${digits.slice(0, -decimals)}${fraction === '' ? '' : `.${fraction}`} %`;
}

const UNITS = [
  ['days', 86_400],
  ['hours', 3600],
  ['minutes', 60],
  ['seconds', 1],
  ['milliseconds', 1e-3],
] as const;

/** `53 minutes`, `3.7 days`, `under a millisecond`. */
export function formatDowntime(seconds: number): string {
  if (seconds <= 0) return 'none';
  const unit = UNITS.find(([, size]) => seconds >= 1.5 * size);
  if (!unit) return seconds < 1e-3 ? 'under a millisecond' : '1 millisecond';
  return `${Number((seconds / unit[1]).toPrecision(2))} ${unit[0]}`;
}

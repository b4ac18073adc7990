import { HoldfastError } from '@holdfast/contracts';

/** A whole number within bounds, for options such as `--k`. USAGE otherwise. */
export function parseCount(text: string, option: string, least: number, most: number): number {
  const value = /^\d{1,15}$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) {
    throw new HoldfastError(
      'USAGE',
      `${option} must be a whole number from ${least} to ${most}, not "${text}".`,
      {
        hint: `Give ${option} a number in that range.`,
        details: { option, value: text, least, most },
      },
    );
  }
  return value;
}

/** `1 peer`, `12 peers`, `1 234 567 chunks`; thin grouping by plain spaces, so that columns line up everywhere. */
export function formatCount(value: number, singular?: string, plural = `${singular}s`): string {
  const digits = String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ' ');
  if (singular === undefined) return digits;
  return `${digits} ${value === 1 ? singular : plural}`;
}

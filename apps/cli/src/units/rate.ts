import { HoldfastError } from '@holdfast/contracts';

const PER_DAY: Readonly<Record<string, number>> = { '': 1, hour: 24, day: 1, week: 1 / 7, month: 1 / 30 };

/** `5%/day`, `0.05`, `1%/hour`, `10% / month` to a share per day of at least 0. USAGE otherwise. */
export function parseRate(text: string): number {
  const match = /^\s*(\d+(?:\.\d+)?|\.\d+)\s*(%?)\s*(?:\/\s*([a-z]+))?\s*$/i.exec(text);
  const perDay = match ? PER_DAY[(match[3] ?? '').toLowerCase()] : undefined;
  if (!match || perDay === undefined) {
    throw new HoldfastError('USAGE', `"${text}" is not a rate.`, {
      hint: 'Write a share and a time, such as 5%/day, 1%/hour or 10%/month; without a time it is per day.',
      details: { value: text },
    });
  }
  return (Number(match[1]) / (match[2] === '%' ? 100 : 1)) * perDay;
}

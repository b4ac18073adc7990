import { HoldfastError } from '@holdfast/contracts';

/** `10%`, `2.5 %` or `0.1` to a share from 0 to 1; null otherwise. */
export function parseShare(text: string): number | null {
  const match = /^\s*(\d+(?:\.\d+)?|\.\d+)\s*(%?)\s*$/.exec(text);
  const value = match ? Number(match[1]) / (match[2] === '%' ? 100 : 1) : Number.NaN;
  return value >= 0 && value <= 1 ? value : null;
}

/** The same to a fraction in (0, 1]. USAGE otherwise. */
export function parseFraction(text: string): number {
  const value = parseShare(text) ?? Number.NaN;
  if (!(value > 0 && value <= 1)) {
    throw new HoldfastError('USAGE', `"${text}" is not a fraction.`, {
      hint: 'Write a percentage above 0 % and up to 100 %, such as 10%.',
      details: { value: text },
    });
  }
  return value;
}

/** Whole percent, but never a rounded-up 100 % or a rounded-down 0 % of something unfinished. */
export function formatPercent(fraction: number): string {
  const percent = Math.round(fraction * 100);
  if (fraction < 1 && percent === 100) return '99 %';
  return fraction > 0 && percent === 0 ? '<1 %' : `${percent} %`;
}

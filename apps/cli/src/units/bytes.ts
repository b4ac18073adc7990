import { HoldfastError } from '@holdfast/contracts';

const BINARY = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** What people write after a number. Without an `i` the factor is 1000, as the SI has it. */
const FACTORS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1024,
  kib: 1024,
  kb: 1000,
  m: 1024 ** 2,
  mib: 1024 ** 2,
  mb: 1000 ** 2,
  g: 1024 ** 3,
  gib: 1024 ** 3,
  gb: 1000 ** 3,
  t: 1024 ** 4,
  tib: 1024 ** 4,
  tb: 1000 ** 4,
  p: 1024 ** 5,
  pib: 1024 ** 5,
  pb: 1000 ** 5,
};

/** `1.5 GiB`, `100GiB`, `500MB`, `4096` to whole bytes; a lone letter is binary (`2G` = 2 GiB). USAGE otherwise. */
export function parseBytes(text: string): number {
  const match = /^\s*(\d+(?:\.\d+)?|\.\d+)\s*([a-z]*)\s*$/i.exec(text);
  const factor = match ? FACTORS[match[2]!.toLowerCase()] : undefined;
  const bytes = match && factor !== undefined ? Math.round(Number(match[1]) * factor) : Number.NaN;
  if (!Number.isSafeInteger(bytes)) {
    throw new HoldfastError('USAGE', `"${text}" is not a size.`, {
      hint: 'Write a number and a unit, such as 512MiB, 1.5 GiB or 2TB.',
      details: { value: text },
    });
  }
  return bytes;
}

/** Three significant digits at most, binary units: `0 B`, `1.5 GiB`, `88.1 MiB`, `204 MiB`. */
export function formatBytes(bytes: number): string {
  let value = Math.max(0, bytes);
  let unit = 0;
  // 999.5 and not 1024: "1 000 KiB" is wider than the columns that this is printed in.
  while (value >= 999.5 && unit < BINARY.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? Math.round(value) : trimmed(value)} ${BINARY[unit]}`;
}

export const formatRate = (bytes: number, seconds: number): string =>
  `${formatBytes(seconds > 0 ? bytes / seconds : 0)}/s`;

const trimmed = (value: number): string => {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toFixed(digits).replace(/\.0+$/, '');
};

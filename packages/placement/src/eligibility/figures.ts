const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

type Format = (value: number, digits?: number) => string;

/** 1 MiB, 1.5 GiB, 12 bytes. */
export const bytes: Format = (amount, digits) => {
  let [value, unit] = [amount, 0];
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${short(value, digits)} ${UNITS[unit]}`;
};

export const percent: Format = (share, digits) => `${short(share * 100, digits)} %`;

export const short: Format = (value, digits = 4) => String(Number(value.toPrecision(digits)));

/** Rounded for reading, but never until it looks like the limit that it misses, or keeps, by a hair. */
export function beside(limit: number, value: number, format: Format): string {
  const close = Math.abs(value - limit) < 0.001 * limit;
  return close ? format(value, 15) : format(value);
}

/** 2026-05-17 09:30 (UTC); the time is in ms since 1970. */
export const minute = (time: number): string =>
  Math.abs(time) <= 8.64e15
    ? new Date(time).toISOString().slice(0, 16).replace('T', ' ')
    : `no time (${time})`;

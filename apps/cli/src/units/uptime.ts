import { HoldfastError } from '@holdfast/contracts';

/**
 * `99.95`, `99.95 %` or `0.9995` to a share from 0 to 1; a number up to 1 without a sign is a share. USAGE otherwise. The
 * decimal point moves in the text, because 99.99 / 100 is not quite 0.9999.
 */
export function parseUptime(text: string): number {
  const bare = text.replace(/%\s*$/, '').trim();
  const isPercent = bare !== text.trim() || Number(bare) > 1;
  const uptime = /^(\d+(\.\d+)?|\.\d+)$/.test(bare) ? Number(isPercent ? `${bare}e-2` : bare) : Number.NaN;
  if (uptime >= 0 && uptime <= 1) return uptime;
  throw new HoldfastError('USAGE', `"${text}" is not an uptime.`, {
    hint: 'Write a percentage, such as 99.95%, or a share, such as 0.9995.',
    details: { value: text },
  });
}

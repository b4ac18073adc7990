import type { Uptime } from '../vault/uptime.ts';

/** Nothing for a peer that was never asked: then there is only an assumption. */
export function uptimeJson(uptime: Uptime | undefined): Uptime | null {
  return uptime && uptime.hours > 0 ? uptime : null;
}

/** `99.2 %`, with how many hours that rests on. */
export function uptimeText(uptime: Uptime | undefined): string {
  if (!uptime || uptime.hours === 0) return '';
  return `${(uptime.uptime * 100).toFixed(1)} % (${uptime.hours} h)`;
}

import { displayPath } from '@holdfast/contracts';

/**
 * The one JSON value of a command. Beyond what JSON knows: maps become objects, big integers decimal strings,
 * bytes hexadecimal, and `undefined` members vanish.
 */
export function toJson(value: unknown): string {
  return JSON.stringify(plain(value), null, 2);
}

export function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (value instanceof Map) return plain(Object.fromEntries(value));
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]));
}

/** Paths as text; where that loses something (names that are not UTF-8, control characters) also as exact bytes. */
export function jsonPath(path: Uint8Array): { path: string; pathHex?: string } {
  const text = displayPath(path);
  const exact = Buffer.from(text, 'utf8').equals(path);
  return exact ? { path: text } : { path: text, pathHex: Buffer.from(path).toString('hex') };
}

/** A moment as ISO 8601 in UTC: what other programs sort and parse. */
export const jsonTime = (milliseconds: number): string => new Date(milliseconds).toISOString();

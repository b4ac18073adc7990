import { HoldfastError } from '@holdfast/contracts';

/** A position in the write-ahead log: bytes since its beginning, 64 bits. */
export type Lsn = bigint;

const LSN = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/;

/** As PostgreSQL writes it: `16/B374D848`. */
export const formatLsn = (lsn: Lsn): string =>
  `${(lsn >> 32n).toString(16)}/${(lsn & 0xffff_ffffn).toString(16)}`.toUpperCase();

export const isLsn = (text: string): boolean => LSN.test(text);

/** FORMAT_INVALID for anything that is no position. */
export function parseLsn(text: string): Lsn {
  const match = LSN.exec(text);
  if (!match) throw new HoldfastError('FORMAT_INVALID', `${text} is no position in a write-ahead log`);
  return (BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`);
}

export const segmentStart = (lsn: Lsn, segmentBytes: number): Lsn => lsn - (lsn % BigInt(segmentBytes));

const hex8 = (value: bigint | number): string => value.toString(16).toUpperCase().padStart(8, '0');

/** The file in `pg_wal` that holds the position: `000000010000001600000B37`. */
export function segmentName(timeline: number, lsn: Lsn, segmentBytes: number): string {
  const number = lsn / BigInt(segmentBytes);
  const perHigh = 0x1_0000_0000n / BigInt(segmentBytes);
  return hex8(timeline) + hex8(number / perHigh) + hex8(number % perHigh);
}

/** Timeline and first position of a segment by its name; null for other names. */
export function parseSegmentName(
  name: string,
  segmentBytes: number,
): { timeline: number; start: Lsn } | null {
  if (!/^[0-9A-F]{24}$/.test(name)) return null;
  const [timeline, high, low] = [0, 8, 16].map((at) => BigInt(`0x${name.slice(at, at + 8)}`)) as [
    bigint,
    bigint,
    bigint,
  ];
  const perHigh = 0x1_0000_0000n / BigInt(segmentBytes);
  if (low >= perHigh) return null;
  return { timeline: Number(timeline), start: (high * perHigh + low) * BigInt(segmentBytes) };
}

export const historyName = (timeline: number): string => `${hex8(timeline)}.history`;

export const timelineDirectory = (timeline: number): string => hex8(timeline);

/** 2000-01-01 in microseconds of Unix time: PostgreSQL counts from there. */
const EPOCH_2000 = 946_684_800_000_000n;

/** Microseconds since 1970 from PostgreSQL's since 2000. */
export const unixMicros = (postgresMicros: bigint): bigint => postgresMicros + EPOCH_2000;
export const postgresMicros = (unix: bigint): bigint => unix - EPOCH_2000;

/** Microseconds since 1970 as PostgreSQL reads them back: `2026-11-20 10:31:07.123456+00`. */
export function formatMicros(unix: bigint): string {
  const micros = ((unix % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const seconds = new Date(Number((unix - micros) / 1000n)).toISOString();
  return `${seconds.slice(0, 10)} ${seconds.slice(11, 19)}.${micros.toString().padStart(6, '0')}+00`;
}

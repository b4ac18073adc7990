import { HoldfastError } from '@holdfast/contracts';
import { formatLsn, formatMicros, isLsn, type Lsn, parseLsn } from '../lsn.ts';

/** What somebody asks for. Times are microseconds since 1970, by the server's clock. */
export type RecoveryTarget =
  | { readonly kind: 'latest' }
  /** All transactions that ended up to then. */
  | { readonly kind: 'time'; readonly time: bigint }
  /** Everything written in front of this position. */
  | { readonly kind: 'lsn'; readonly lsn: Lsn }
  /** What `pg_create_restore_point` marked; the last one of that name. */
  | { readonly kind: 'name'; readonly name: string };

/** What the server is told. `end`: everything in the WAL that it is given. */
export type ServerTarget =
  | { readonly kind: 'end' }
  | { readonly kind: 'time'; readonly time: bigint }
  | { readonly kind: 'lsn'; readonly lsn: Lsn; readonly inclusive: boolean };

const TIME = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,6}))?\s*(Z|[+-]\d\d(?::?\d\d)?)$/;

/** `latest`, an LSN (`16/B374D848`), a time with its zone (`2026-11-20T10:31:07.25Z`), else a restore point. USAGE. */
export function parseTarget(text: string): RecoveryTarget {
  if (text === 'latest') return { kind: 'latest' };
  if (isLsn(text)) return { kind: 'lsn', lsn: parseLsn(text) };
  const match = TIME.exec(text);
  if (match) return { kind: 'time', time: microsOf(match, text) };
  if (/^\d{4}-\d\d-\d\d/.test(text))
    throw new HoldfastError('USAGE', `${text} is no moment: a time needs its zone`, {
      hint: 'Write 2026-11-20T10:31:07Z, or +01:00 in place of Z.',
    });
  if (text === '' || Buffer.byteLength(text) > 63)
    throw new HoldfastError('USAGE', `${JSON.stringify(text)} cannot be the name of a restore point`);
  return { kind: 'name', name: text };
}

function microsOf(match: RegExpExecArray, text: string): bigint {
  const [, date, time, fraction = '', zone] = match;
  const offset = zone === 'Z' ? 'Z' : `${zone!.slice(0, 3)}:${zone!.replace(':', '').slice(3) || '00'}`;
  const millis = Date.parse(`${date}T${time!.length === 5 ? `${time}:00` : time}${offset}`);
  if (Number.isNaN(millis)) throw new HoldfastError('USAGE', `${text} is no moment of the calendar`);
  return BigInt(millis) * 1000n + BigInt(fraction.padEnd(6, '0'));
}

export function describeTarget(target: RecoveryTarget): string {
  switch (target.kind) {
    case 'latest':
      return 'the latest moment';
    case 'time':
      return formatMicros(target.time);
    case 'lsn':
      return formatLsn(target.lsn);
    case 'name':
      return `the restore point ${target.name}`;
  }
}

import { type Attributes, type AttributeValue, HoldfastError } from '@holdfast/contracts';
import { formatLsn, isLsn, type Lsn, parseLsn } from './lsn.ts';
import type { RestorePoint } from './records/record-facts.ts';
import type { WalPosition } from './wal-piece.ts';

/** What the attributes of a `postgres-wal` snapshot say: docs/specs/wal.md. Times are microseconds since 1970. */
export interface WalInfo {
  readonly systemId: bigint;
  readonly timeline: number;
  readonly segmentBytes: number;
  readonly startLsn: Lsn;
  readonly endLsn: Lsn;
  /** Least and greatest time of a commit or abort; null without any. */
  readonly firstTime: bigint | null;
  readonly lastTime: bigint | null;
  /** Every commit acknowledged before this lies in front of `endLsn`; null where that is not known. */
  readonly coveredUntil: bigint | null;
  /** Where the last whole record begins. */
  readonly lastRecord: Lsn | null;
  readonly restorePoints: readonly RestorePoint[];
  /** The timeline's history file; null for timeline 1. */
  readonly history: Uint8Array | null;
  /** Where the WAL begins that leads here without a gap: a base from before is of no use for what follows. */
  readonly chainStart: Lsn;
  /** What a scanner needs to go on at `endLsn`. */
  readonly state: Uint8Array;
}

const VERSION = 1;
const MAX_SEGMENT = 2 ** 30;

export function walAttributes(info: WalInfo): Attributes {
  return {
    version: VERSION,
    systemId: info.systemId.toString(),
    timeline: info.timeline,
    segmentBytes: info.segmentBytes,
    startLsn: formatLsn(info.startLsn),
    endLsn: formatLsn(info.endLsn),
    firstTime: info.firstTime,
    lastTime: info.lastTime,
    coveredUntil: info.coveredUntil,
    lastRecord: info.lastRecord === null ? null : formatLsn(info.lastRecord),
    restorePoints: JSON.stringify(info.restorePoints.map(({ lsn, name }) => [formatLsn(lsn), name])),
    history: info.history,
    chainStart: formatLsn(info.chainStart),
    state: info.state,
  };
}

/** FORMAT_INVALID, FORMAT_VERSION: attributes come from outside. */
export function walInfo(attributes: Attributes): WalInfo {
  const read = new AttributeReader(attributes, 'a snapshot of WAL');
  read.version(VERSION);
  const info: WalInfo = {
    systemId: read.systemId(),
    timeline: read.integer('timeline', 1, 0xffff_ffff),
    segmentBytes: read.segmentBytes(),
    startLsn: read.lsn('startLsn'),
    endLsn: read.lsn('endLsn'),
    firstTime: read.time('firstTime'),
    lastTime: read.time('lastTime'),
    coveredUntil: read.time('coveredUntil'),
    lastRecord: read.isNull('lastRecord') ? null : read.lsn('lastRecord'),
    restorePoints: read.restorePoints(),
    history: read.isNull('history') ? null : read.bytes('history'),
    chainStart: read.lsn('chainStart'),
    state: read.bytes('state'),
  };
  if (info.endLsn < info.startLsn) throw read.invalid('endLsn');
  return info;
}

/** Where to go on receiving behind a stored snapshot. */
export const positionBehind = (info: WalInfo): WalPosition => ({
  systemId: info.systemId,
  timeline: info.timeline,
  lsn: info.endLsn,
  state: info.state,
  chainStart: info.chainStart,
});

/** Takes attributes apart, with FORMAT_INVALID for each that makes no sense. */
export class AttributeReader {
  readonly #attributes: Attributes;
  readonly #what: string;

  constructor(attributes: Attributes, what: string) {
    this.#attributes = attributes;
    this.#what = what;
  }

  invalid(name: string): HoldfastError {
    return new HoldfastError('FORMAT_INVALID', `The attribute ${name} of ${this.#what} makes no sense`);
  }

  version(known: number): void {
    const version = this.integer('version', 1, 0xffff_ffff);
    if (version === known) return;
    throw new HoldfastError(
      'FORMAT_VERSION',
      `${this.#what} has version ${version}; this program knows ${known}`,
      {
        hint: 'Use the release that wrote it, or a newer one.',
      },
    );
  }

  isNull(name: string): boolean {
    return (this.#attributes[name] ?? null) === null;
  }

  integer(name: string, least: number, most: number): number {
    const value = this.#attributes[name];
    const number = typeof value === 'bigint' ? Number(value) : value;
    if (typeof number !== 'number' || !Number.isSafeInteger(number) || number < least || number > most)
      throw this.invalid(name);
    return number;
  }

  segmentBytes(): number {
    const bytes = this.integer('segmentBytes', 2 ** 20, MAX_SEGMENT);
    if ((bytes & (bytes - 1)) !== 0) throw this.invalid('segmentBytes');
    return bytes;
  }

  text(name: string): string {
    return this.#of<string>(name, (value) => typeof value === 'string');
  }

  bytes(name: string): Uint8Array {
    return this.#of<Uint8Array>(name, (value) => value instanceof Uint8Array);
  }

  /** A JSON list of pairs of position and name. */
  restorePoints(): RestorePoint[] {
    try {
      const pairs = JSON.parse(this.text('restorePoints')) as [string, string][];
      return pairs.map(([lsn, name]) => ({ lsn: parseLsn(lsn), name: `${name}` }));
    } catch {
      throw this.invalid('restorePoints');
    }
  }

  lsn(name: string): Lsn {
    return parseLsn(this.#of<string>(name, (value) => typeof value === 'string' && isLsn(value)));
  }

  systemId(): bigint {
    return BigInt(
      this.#of<string>('systemId', (value) => typeof value === 'string' && /^\d{1,20}$/.test(value)),
    );
  }

  time(name: string): bigint | null {
    if (this.isNull(name)) return null;
    return BigInt(
      this.#of<bigint | number>(name, (value) => typeof value === 'bigint' || Number.isSafeInteger(value)),
    );
  }

  #of<T extends AttributeValue>(name: string, fits: (value: AttributeValue | undefined) => boolean): T {
    const value = this.#attributes[name];
    if (!fits(value)) throw this.invalid(name);
    return value as T;
  }
}

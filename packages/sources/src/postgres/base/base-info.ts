import type { Attributes } from '@holdfast/contracts';
import { formatLsn, type Lsn } from '../wal/lsn.ts';
import { AttributeReader } from '../wal/wal-info.ts';

/** What the attributes of a base snapshot's `label` say: docs/specs/wal.md. Times are microseconds since 1970. */
export interface BaseInfo {
  readonly systemId: bigint;
  readonly timeline: number;
  readonly segmentBytes: number;
  /** `server_version_num`. */
  readonly serverVersion: number;
  /** WAL is needed from here … */
  readonly startLsn: Lsn;
  /** … and at least to here. */
  readonly stopLsn: Lsn;
  readonly startedAt: bigint;
  readonly stoppedAt: bigint;
}

const VERSION = 1;

export function baseAttributes(info: BaseInfo): Attributes {
  return {
    version: VERSION,
    systemId: info.systemId.toString(),
    timeline: info.timeline,
    segmentBytes: info.segmentBytes,
    serverVersion: info.serverVersion,
    startLsn: formatLsn(info.startLsn),
    stopLsn: formatLsn(info.stopLsn),
    startedAt: info.startedAt,
    stoppedAt: info.stoppedAt,
  };
}

/** FORMAT_INVALID, FORMAT_VERSION: attributes come from outside. */
export function baseInfo(attributes: Attributes): BaseInfo {
  const read = new AttributeReader(attributes, 'a base snapshot');
  read.version(VERSION);
  const [startedAt, stoppedAt] = [read.time('startedAt'), read.time('stoppedAt')];
  const info = {
    systemId: read.systemId(),
    timeline: read.integer('timeline', 1, 0xffff_ffff),
    segmentBytes: read.segmentBytes(),
    serverVersion: read.integer('serverVersion', 90000, 9_999_999),
    startLsn: read.lsn('startLsn'),
    stopLsn: read.lsn('stopLsn'),
    startedAt: startedAt ?? 0n,
    stoppedAt: stoppedAt ?? 0n,
  };
  if (startedAt === null || stoppedAt === null || info.stopLsn < info.startLsn) throw read.invalid('stopLsn');
  return info;
}

import { HoldfastError } from '@holdfast/contracts';
import { formatLsn, type Lsn } from '../lsn.ts';

export const PAGE_BYTES = 8192;
export const SHORT_HEADER = 24;
export const LONG_HEADER = 40;

const CONTINUES = 0x1;
const LONG = 0x2;
const OVERWRITES = 0x8;
const KNOWN = 0xf;
/** The high byte of every version's magic since 2013. */
const MAGIC_FAMILY = 0xd1;

/** What a page's header says about the record that begins on an earlier page. */
export interface PageHeader {
  readonly magic: number;
  readonly timeline: number;
  /** Bytes of it that follow on this page and later ones; 0 when none does. */
  readonly remaining: number;
  /** The record was never finished (the server crashed) and something else follows. */
  readonly abandons: boolean;
}

export interface ExpectedHeader {
  readonly at: Lsn;
  /** Of the stream: a page may be of an earlier one, copied when the timeline branched off. */
  readonly timeline: number;
  /** Timeline and magic of the page before; 0 when unknown. */
  readonly pageTimeline: number;
  readonly magic: number;
  readonly segmentBytes: number;
  readonly systemId: bigint;
}

/** SOURCE_CORRUPT when the bytes are not the header of the page that lies at this position of this cluster. */
export function readPageHeader(bytes: Buffer, expected: ExpectedHeader): PageHeader {
  const fail = (what: string): never => {
    throw corruptWal(expected.at, what);
  };
  const magic = bytes.readUInt16LE(0);
  const info = bytes.readUInt16LE(2);
  const timeline = bytes.readUInt32LE(4);
  if (magic >> 8 !== MAGIC_FAMILY || (expected.magic !== 0 && magic !== expected.magic))
    fail(`the page has the magic number ${magic.toString(16)}`);
  if ((info & ~KNOWN) !== 0) fail(`the page has the flags ${info.toString(16)}`);
  const address = bytes.readBigUInt64LE(8);
  if (address !== expected.at) fail(`the page says that it lies at ${formatLsn(address)}`);
  if (timeline === 0 || timeline > expected.timeline || timeline < expected.pageTimeline)
    fail(`the page is of timeline ${timeline}`);
  const first = expected.at % BigInt(expected.segmentBytes) === 0n;
  if (first !== ((info & LONG) !== 0)) fail('the page has a header of the wrong kind');
  if (first) checkLong(bytes, expected, fail);
  const remaining = bytes.readUInt32LE(16);
  if ((info & CONTINUES) !== 0 ? remaining === 0 : remaining !== 0)
    fail('the page contradicts itself about a record that it continues');
  return { magic, timeline, remaining, abandons: (info & OVERWRITES) !== 0 };
}

function checkLong(bytes: Buffer, expected: ExpectedHeader, fail: (what: string) => never): void {
  const systemId = bytes.readBigUInt64LE(24);
  if (systemId !== expected.systemId) fail(`the segment is of the system ${systemId}`);
  if (bytes.readUInt32LE(32) !== expected.segmentBytes) fail('the segment has another size');
  if (bytes.readUInt32LE(36) !== PAGE_BYTES) fail('the segment has another page size');
}

export const corruptWal = (at: Lsn, what: string): HoldfastError =>
  new HoldfastError('SOURCE_CORRUPT', `The write-ahead log at ${formatLsn(at)} is damaged: ${what}`, {
    hint: 'Check the server with pg_waldump and its log. A new base snapshot begins a new range of moments that can be reached.',
    details: { lsn: formatLsn(at) },
  });

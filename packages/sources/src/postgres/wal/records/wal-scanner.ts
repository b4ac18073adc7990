import { HoldfastError } from '@holdfast/contracts';
import { formatLsn, type Lsn } from '../lsn.ts';
import { CRC_START, finishCrc, updateCrc } from './crc32c.ts';
import {
  corruptWal,
  LONG_HEADER,
  PAGE_BYTES,
  type PageHeader,
  readPageHeader,
  SHORT_HEADER,
} from './page-header.ts';
import {
  endTime,
  HEAD_BYTES,
  isOfInterest,
  isSwitch,
  RECORD_HEADER,
  type RestorePoint,
  restorePointName,
  type WalFacts,
} from './record-facts.ts';

export interface WalScannerOptions {
  readonly systemId: bigint;
  readonly timeline: number;
  readonly segmentBytes: number;
  /** Beginning of a segment, or where the scanner that `state` came from stood. */
  readonly at: Lsn;
  /** What an earlier scanner knew at `at`. Without it records are known from the first that begins here on. */
  readonly state?: Uint8Array | null;
}

const STATE_VERSION = 1;
const STATE_HEADER = 104;

/**
 * Follows a stream of WAL byte by byte: checks every page's header and every record's length, predecessor and checksum,
 * and notes what matters for restoring to a moment. So what is stored is known to be replayable when it is stored.
 */
export class WalScanner {
  readonly #options: WalScannerOptions;
  #at: Lsn;
  /** Of the page that is being read: header bytes gathered so far. */
  readonly #header = Buffer.alloc(LONG_HEADER);
  #headerGot = 0;
  #magic = 0;
  #pageTimeline = 0;
  /** The record that is being read: its first bytes, and how much of it there is. */
  readonly #head = Buffer.alloc(HEAD_BYTES);
  #got = 0;
  #total = 0;
  #start: Lsn = 0n;
  #crc = CRC_START;
  #previous: Lsn = 0n;
  /** Bytes to pass over: of a record whose beginning is unknown, then to the next multiple of 8. */
  #orphan = 0;
  #padding = 0;
  #toSegmentEnd = false;
  #facts = emptyFacts();

  /** FORMAT_INVALID for a state that is none, or of another position. */
  constructor(options: WalScannerOptions) {
    this.#options = options;
    this.#at = options.at;
    if (options.state) this.#resume(Buffer.from(options.state));
    else if (options.at % BigInt(options.segmentBytes) !== 0n)
      throw new HoldfastError('INTERNAL', `WAL is read from ${formatLsn(options.at)}, inside a segment`);
  }

  /** The position behind all bytes that came. */
  get at(): Lsn {
    return this.#at;
  }

  /** SOURCE_CORRUPT when the bytes cannot be the WAL at this position. */
  push(bytes: Buffer): void {
    for (let i = 0; i < bytes.length; ) {
      const inPage = Number(this.#at % BigInt(PAGE_BYTES));
      const room = Math.min(bytes.length - i, PAGE_BYTES - inPage);
      const taken = this.#takePart(bytes.subarray(i, i + room), inPage);
      i += taken;
      this.#at += BigInt(taken);
    }
  }

  /** What came since the last call. */
  takeFacts(): WalFacts {
    const facts = this.#facts;
    this.#facts = emptyFacts();
    return facts;
  }

  /** All of it that a scanner needs to go on at `at` in another process. */
  state(): Uint8Array {
    const bytes = Buffer.alloc(STATE_HEADER + Math.min(this.#got, HEAD_BYTES));
    bytes[0] = STATE_VERSION;
    bytes[1] = this.#toSegmentEnd ? 1 : 0;
    bytes[2] = this.#padding;
    bytes[3] = this.#headerGot;
    bytes.writeBigUInt64LE(this.#at, 8);
    bytes.writeBigUInt64LE(this.#previous, 16);
    bytes.writeBigUInt64LE(this.#start, 24);
    const words = [this.#total, this.#got, this.#orphan, this.#crc, this.#pageTimeline, this.#magic];
    words.forEach((word, i) => {
      bytes.writeUInt32LE(word, 32 + 4 * i);
    });
    this.#header.copy(bytes, 56, 0, LONG_HEADER);
    this.#head.copy(bytes, STATE_HEADER, 0, Math.min(this.#got, HEAD_BYTES));
    return bytes;
  }

  #resume(bytes: Buffer): void {
    const sound = bytes.length >= STATE_HEADER && bytes[0] === STATE_VERSION;
    if (!sound || bytes.readBigUInt64LE(8) !== this.#at)
      throw new HoldfastError(
        'FORMAT_INVALID',
        'What was known of the write-ahead log does not fit its position',
      );
    this.#toSegmentEnd = bytes[1] === 1;
    this.#padding = bytes[2]!;
    this.#headerGot = Math.min(bytes[3]!, LONG_HEADER);
    this.#previous = bytes.readBigUInt64LE(16);
    this.#start = bytes.readBigUInt64LE(24);
    const word = (i: number): number => bytes.readUInt32LE(32 + 4 * i);
    [this.#total, this.#got, this.#orphan] = [word(0), word(1), word(2)];
    [this.#crc, this.#pageTimeline, this.#magic] = [word(3), word(4), word(5)];
    bytes.copy(this.#header, 0, 56, 56 + LONG_HEADER);
    bytes.copy(this.#head, 0, STATE_HEADER);
  }

  /** Some of the bytes, which lie in one page. */
  #takePart(bytes: Buffer, inPage: number): number {
    const inSegment = this.#at % BigInt(this.#options.segmentBytes);
    if (this.#toSegmentEnd && inSegment !== 0n) return bytes.length;
    this.#toSegmentEnd = false;
    const headerBytes = inSegment < BigInt(PAGE_BYTES) ? LONG_HEADER : SHORT_HEADER;
    if (inPage < headerBytes) return this.#takeHeader(bytes, inPage, headerBytes);
    if (this.#orphan > 0) return this.#passOrphan(bytes);
    if (this.#padding > 0) {
      const length = Math.min(this.#padding, bytes.length);
      this.#padding -= length;
      return length;
    }
    return this.#takeRecord(bytes);
  }

  #takeHeader(bytes: Buffer, inPage: number, headerBytes: number): number {
    if (inPage === 0) this.#headerGot = 0;
    const length = Math.min(bytes.length, headerBytes - inPage);
    bytes.copy(this.#header, this.#headerGot, 0, length);
    this.#headerGot += length;
    if (this.#headerGot === headerBytes) {
      const at = this.#at + BigInt(length - headerBytes);
      const header = readPageHeader(this.#header, {
        ...this.#options,
        at,
        magic: this.#magic,
        pageTimeline: this.#pageTimeline,
      });
      this.#magic = header.magic;
      this.#pageTimeline = header.timeline;
      this.#join(header, at);
    }
    return length;
  }

  /** Whether the page goes on with what the one before began. */
  #join(header: PageHeader, at: Lsn): void {
    const isFirst = this.#previous === 0n && this.#got === 0 && this.#orphan === 0;
    const awaited = this.#orphan > 0 ? this.#orphan : this.#got > 0 ? this.#total - this.#got : 0;
    if (header.remaining === awaited && (isFirst || !header.abandons)) return;
    if (isFirst) this.#orphan = header.remaining;
    else if (header.abandons && header.remaining === 0 && awaited > 0) this.#forgetRecord();
    else throw corruptWal(at, `${header.remaining} bytes of a record are announced, not ${awaited}`);
  }

  #forgetRecord(): void {
    this.#got = 0;
    this.#total = 0;
    this.#orphan = 0;
  }

  #passOrphan(bytes: Buffer): number {
    const length = Math.min(this.#orphan, bytes.length);
    this.#orphan -= length;
    if (this.#orphan === 0) this.#padTo(this.#at + BigInt(length));
    return length;
  }

  #padTo(end: Lsn): void {
    this.#padding = Number(-end & 7n);
  }

  #takeRecord(bytes: Buffer): number {
    if (this.#got === 0) {
      this.#start = this.#at;
      this.#crc = CRC_START;
      this.#total = RECORD_HEADER;
    }
    if (this.#got < RECORD_HEADER) return this.#takeRecordHeader(bytes);
    const length = Math.min(this.#total - this.#got, bytes.length);
    const data = bytes.subarray(0, length);
    this.#crc = updateCrc(this.#crc, data);
    if (this.#got < HEAD_BYTES && isOfInterest(this.#head[17]!)) data.copy(this.#head, this.#got);
    this.#got += length;
    if (this.#got === this.#total) this.#endRecord(this.#at + BigInt(length));
    return length;
  }

  #takeRecordHeader(bytes: Buffer): number {
    const length = Math.min(RECORD_HEADER - this.#got, bytes.length);
    bytes.copy(this.#head, this.#got, 0, length);
    this.#got += length;
    // Records begin at multiples of 8, so a page's end never parts the length.
    if (this.#got >= 4) this.#total = this.#head.readUInt32LE(0);
    if (this.#got < RECORD_HEADER) return length;
    if (this.#total < RECORD_HEADER) throw corruptWal(this.#start, `a record claims ${this.#total} bytes`);
    const previous = this.#head.readBigUInt64LE(8);
    if (this.#previous !== 0n && previous !== this.#previous)
      throw corruptWal(this.#start, `a record follows one at ${formatLsn(previous)}`);
    if (this.#total === RECORD_HEADER) this.#endRecord(this.#at + BigInt(length));
    return length;
  }

  #endRecord(end: Lsn): void {
    // The checksum covers the data first, then the header before the checksum itself.
    const crc = finishCrc(updateCrc(this.#crc, this.#head.subarray(0, 20)));
    if (crc !== this.#head.readUInt32LE(20)) throw corruptWal(this.#start, 'a record has a wrong checksum');
    const head = this.#head.subarray(0, Math.min(this.#total, HEAD_BYTES));
    this.#facts = withRecord(this.#facts, head, this.#start);
    this.#previous = this.#start;
    this.#toSegmentEnd = isSwitch(head);
    this.#forgetRecord();
    if (!this.#toSegmentEnd) this.#padTo(end);
  }
}

const emptyFacts = (): MutableFacts => ({
  firstTime: null,
  lastTime: null,
  restorePoints: [],
  lastRecord: null,
  records: 0,
});

interface MutableFacts extends WalFacts {
  firstTime: bigint | null;
  lastTime: bigint | null;
  restorePoints: RestorePoint[];
  lastRecord: Lsn | null;
  records: number;
}

function withRecord(facts: MutableFacts, head: Buffer, start: Lsn): MutableFacts {
  facts.records += 1;
  facts.lastRecord = start;
  const time = endTime(head);
  if (time !== null) {
    if (facts.firstTime === null || time < facts.firstTime) facts.firstTime = time;
    if (facts.lastTime === null || time > facts.lastTime) facts.lastTime = time;
  }
  const name = restorePointName(head);
  if (name !== null) facts.restorePoints.push({ name, lsn: start });
  return facts;
}

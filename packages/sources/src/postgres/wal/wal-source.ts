import {
  type Attributes,
  type ContentReader,
  copyInto,
  HoldfastError,
  pathFromText,
  type Source,
  type SourceObject,
  type SourceSnapshot,
  throwIfAborted,
} from '@holdfast/contracts';
import { formatLsn, historyName, type Lsn, segmentName, segmentStart, timelineDirectory } from './lsn.ts';
import { type WalInfo, walAttributes } from './wal-info.ts';
import type { WalPiece } from './wal-piece.ts';

/** Pieces that follow each other on one timeline, as a source that can be read any number of times. USAGE for others. */
export function walSource(pieces: readonly WalPiece[]): Source {
  const info = mergedInfo(pieces);
  const bytes = Number(info.endLsn - info.startLsn);
  const objects = [...historyObjects(info), ...pieces.filter((piece) => piece.endLsn > piece.startLsn)];
  return {
    kind: 'postgres-wal',
    async test({ signal } = {}) {
      throwIfAborted(signal);
      const facts = { timeline: info.timeline, from: formatLsn(info.startLsn), to: formatLsn(info.endLsn) };
      return {
        kind: 'postgres-wal',
        bytes: bytes + (info.history?.length ?? 0),
        objects: objects.length + 1,
        facts,
      };
    },
    async open({ signal } = {}) {
      throwIfAborted(signal);
      return walSnapshot(info, objects);
    },
  };
}

export function mergedInfo(pieces: readonly WalPiece[]): WalInfo {
  const [first] = pieces;
  const last = pieces.at(-1);
  if (!first || !last) throw new HoldfastError('USAGE', 'A snapshot of WAL needs a piece');
  for (const [i, piece] of pieces.entries()) {
    const before = pieces[i - 1];
    if (
      before &&
      (before.endLsn !== piece.startLsn ||
        before.timeline !== piece.timeline ||
        before.systemId !== piece.systemId)
    )
      throw new HoldfastError('USAGE', 'A snapshot of WAL cannot bridge a gap or a change of timeline');
  }
  const { systemId, timeline, segmentBytes, startLsn, history, chainStart } = first;
  return {
    systemId,
    timeline,
    segmentBytes,
    startLsn,
    endLsn: last.endLsn,
    firstTime: best(
      pieces.map(({ facts }) => facts.firstTime),
      (a, b) => a < b,
    ),
    lastTime: best(
      pieces.map(({ facts }) => facts.lastTime),
      (a, b) => a > b,
    ),
    coveredUntil: best(
      pieces.map(({ coveredUntil }) => coveredUntil),
      (a, b) => a > b,
    ),
    lastRecord: best(
      pieces.map(({ facts }) => facts.lastRecord),
      (a, b) => a > b,
    ),
    restorePoints: pieces.flatMap(({ facts }) => facts.restorePoints),
    history,
    chainStart,
    state: last.state,
  };
}

function best(values: readonly (bigint | null)[], better: (a: bigint, b: bigint) => boolean): bigint | null {
  return values.reduce(
    (kept, value) => (value !== null && (kept === null || better(value, kept)) ? value : kept),
    null,
  );
}

interface Content {
  readonly history: Uint8Array;
  readonly timeline: number;
}

const historyObjects = ({ history, timeline }: WalInfo): Content[] =>
  history ? [{ history, timeline }] : [];

/** `wal/TIMELINE/SEGMENT/OFFSET`, the offset in hexadecimal. */
export function piecePath(timeline: number, start: Lsn, segmentBytes: number): string {
  const offset = Number(start - segmentStart(start, segmentBytes));
  const at = offset.toString(16).toUpperCase().padStart(8, '0');
  return `wal/${timelineDirectory(timeline)}/${segmentName(timeline, start, segmentBytes)}/${at}`;
}

export const historyPath = (timeline: number): string =>
  `wal/${timelineDirectory(timeline)}/${historyName(timeline)}`;

function walSnapshot(info: WalInfo, contents: readonly (WalPiece | Content)[]): SourceSnapshot {
  const attributes = walAttributes(info);
  const objects = [infoObject(attributes), ...contents.map(toObject)];
  return {
    attributes,
    estimate: { objects: objects.length, bytes: objects.reduce((sum, { size }) => sum + (size ?? 0), 0) },
    problems: [],
    async *objects({ signal } = {}) {
      for (const object of objects) {
        throwIfAborted(signal);
        yield object;
      }
    },
    async close() {},
  };
}

/** So that whoever lists a snapshot's objects, without restoring it, knows what it is good for. */
const infoObject = (attributes: Attributes): SourceObject => ({
  path: pathFromText('info'),
  kind: 'info',
  attributes,
  size: null,
  cut: null,
  fingerprint: null,
  open: () => Promise.reject(new HoldfastError('INTERNAL', 'This object has no content')),
});

function toObject(content: WalPiece | Content): SourceObject {
  if ('history' in content && !('bytes' in content))
    return object(historyPath(content.timeline), 'history', {}, [Buffer.from(content.history)]);
  const { timeline, startLsn, endLsn, segmentBytes, bytes } = content;
  const attributes = { start: formatLsn(startLsn), end: formatLsn(endLsn) };
  return object(piecePath(timeline, startLsn, segmentBytes), 'wal', attributes, bytes);
}

function object(
  path: string,
  kind: string,
  attributes: Record<string, string>,
  parts: readonly Buffer[],
): SourceObject {
  return {
    path: pathFromText(path),
    kind,
    attributes,
    size: parts.reduce((sum, { length }) => sum + length, 0),
    cut: { by: 'content' },
    fingerprint: null,
    open: async () => partsReader(parts),
  };
}

export function partsReader(parts: readonly Buffer[]): ContentReader {
  let part = 0;
  let at = 0;
  return {
    async read(into, { signal } = {}) {
      throwIfAborted(signal);
      let filled = 0;
      while (filled < into.length && part < parts.length) {
        const piece = parts[part]!.subarray(at, at + into.length - filled);
        copyInto(into, filled, piece);
        filled += piece.length;
        at += piece.length;
        if (at === parts[part]!.length) {
          part += 1;
          at = 0;
        }
      }
      return filled === 0 ? { kind: 'end' } : { kind: 'data', length: filled };
    },
    async close() {},
  };
}

import {
  type Attributes,
  type ContentReader,
  type Cut,
  comparePaths,
  HoldfastError,
  type ObjectPath,
  pathFromText,
  type ReadResult,
  type Source,
  type SourceObject,
  type SourceProblem,
  type SourceSnapshot,
  throwIfAborted,
} from '@holdfast/contracts';

export interface MemorySourceObject {
  readonly path: string | ObjectPath;
  /** Default `file`, or `directory` when there is no content. */
  readonly kind?: string;
  readonly attributes?: Attributes;
  readonly content: Uint8Array | null;
  /** Default `content`; always null without content. */
  readonly cut?: Cut | null;
  readonly fingerprint?: string | null;
  /** False hides the size, as a stream does. */
  readonly sizeKnown?: boolean;
  /** Ascending ranges, zero in `content`, that are reported as holes. */
  readonly holes?: readonly { readonly offset: number; readonly length: number }[];
  /** Reading at or past this offset fails with SOURCE_UNREADABLE. */
  readonly failAt?: number;
}

export interface MemorySourceOptions {
  readonly kind?: string;
  readonly attributes?: Attributes;
  readonly problems?: readonly SourceProblem[];
}

/**
 * A source whose objects are given. It checks its user as well: a second iteration, a second `open` of an object, two
 * reads at once, and anything after `close` throw a plain Error, since they are bugs and not conditions.
 */
export function memorySource(
  objects: readonly MemorySourceObject[],
  options: MemorySourceOptions = {},
): Source {
  const kind = options.kind ?? 'tree';
  const sorted = objects
    .map((object) => ({
      ...object,
      path: typeof object.path === 'string' ? pathFromText(object.path) : object.path,
    }))
    .sort((a, b) => comparePaths(a.path, b.path));
  const bytes = sorted.reduce((sum, object) => sum + (object.content?.length ?? 0), 0);
  return {
    kind,
    async test({ signal } = {}) {
      throwIfAborted(signal);
      return { kind, bytes, objects: sorted.length, facts: { memory: true } };
    },
    async open({ signal } = {}) {
      throwIfAborted(signal);
      return memorySnapshot(sorted, bytes, options);
    },
  };
}

type Sorted = MemorySourceObject & { readonly path: ObjectPath };

function memorySnapshot(
  sorted: readonly Sorted[],
  bytes: number,
  options: MemorySourceOptions,
): SourceSnapshot {
  let iterated = false;
  const state = { closed: false };
  return {
    attributes: options.attributes ?? {},
    estimate: { objects: sorted.length, bytes },
    problems: options.problems ?? [],
    async *objects({ signal } = {}) {
      if (iterated) throw new Error('memorySource: objects() was called twice');
      iterated = true;
      for (const object of sorted) {
        throwIfAborted(signal);
        if (state.closed) throw new Error('memorySource: iterated after close');
        yield sourceObject(object, state);
      }
    },
    async close() {
      state.closed = true;
    },
  };
}

function sourceObject(object: Sorted, state: { closed: boolean }): SourceObject {
  const { content } = object;
  let opened = false;
  return {
    path: object.path,
    kind: object.kind ?? (content === null ? 'directory' : 'file'),
    attributes: object.attributes ?? {},
    size: content === null || object.sizeKnown === false ? null : content.length,
    cut: content === null ? null : (object.cut ?? { by: 'content' }),
    fingerprint: object.fingerprint ?? null,
    async open() {
      if (content === null) throw new Error('memorySource: opened an object without content');
      if (opened) throw new Error('memorySource: opened an object twice');
      if (state.closed) throw new Error('memorySource: opened after close');
      opened = true;
      return memoryReader(object, content, state);
    },
  };
}

function memoryReader(object: Sorted, content: Uint8Array, state: { closed: boolean }): ContentReader {
  let position = 0;
  let reading = false;
  let closed = false;
  const next = (into: Uint8Array): ReadResult => {
    if (object.failAt !== undefined && position >= object.failAt) {
      throw new HoldfastError('SOURCE_UNREADABLE', 'memorySource: reading failed as asked for');
    }
    if (position === content.length) return { kind: 'end' };
    const hole = object.holes?.find((range) => range.offset + range.length > position);
    if (hole !== undefined && hole.offset <= position) {
      const length = hole.offset + hole.length - position;
      position += length;
      return { kind: 'hole', length };
    }
    const end = Math.min(content.length, hole?.offset ?? content.length, object.failAt ?? content.length);
    const length = Math.min(into.length, end - position);
    into.set(content.subarray(position, position + length));
    position += length;
    return { kind: 'data', length };
  };
  return {
    async read(into, { signal } = {}) {
      if (reading) throw new Error('memorySource: two reads at once');
      if (closed || state.closed) throw new Error('memorySource: read after close');
      if (into.length === 0) throw new Error('memorySource: read into an empty buffer');
      throwIfAborted(signal);
      reading = true;
      // Settles later than the call, so that a caller who reuses the buffer too early is caught.
      await new Promise((resolve) => setImmediate(resolve));
      reading = false;
      return next(into);
    },
    async close() {
      closed = true;
    },
  };
}

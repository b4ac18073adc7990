import {
  type Attributes,
  type ContentWriter,
  comparePaths,
  displayPath,
  HoldfastError,
  isSafePath,
  type ObjectPath,
  type Sink,
  throwIfAborted,
} from '@holdfast/contracts';

export interface MemorySinkObject {
  readonly path: ObjectPath;
  readonly kind: string;
  readonly attributes: Attributes;
  /** Null for objects without content, and until the writer has completed. */
  content: Uint8Array | null;
  /** Bytes that were written, which leaves out holes. */
  writtenBytes: number;
}

export interface MemorySink extends Sink {
  /** By `displayPath`, in the order created. Kept after `abort` for tests to look at. */
  readonly objects: ReadonlyMap<string, MemorySinkObject>;
  readonly attributes: Attributes | null;
  readonly state: 'new' | 'begun' | 'finished' | 'aborted';
}

export interface MemorySinkOptions {
  readonly order?: Sink['order'];
  /** Called before each write takes effect; throw in it to make the write fail. */
  readonly onWrite?: (object: MemorySinkObject, offset: number, length: number) => void;
}

const WITHOUT_CONTENT = new Set(['directory', 'symlink', 'hardlink', 'fifo']);

/** Keeps what is written. Misuse by the caller (overlaps, no begin, unsorted paths) throws a plain Error. */
export function memorySink(options: MemorySinkOptions = {}): MemorySink {
  const objects = new Map<string, MemorySinkObject>();
  let state: MemorySink['state'] = 'new';
  let attributes: Attributes | null = null;
  let last: ObjectPath | null = null;
  let open = 0;
  return {
    order: options.order ?? 'any',
    objects,
    get attributes() {
      return attributes;
    },
    get state() {
      return state;
    },
    async begin(snapshot, { signal } = {}) {
      throwIfAborted(signal);
      if (state !== 'new') throw new Error(`memorySink: begin when ${state}`);
      state = 'begun';
      attributes = snapshot.attributes;
    },
    async create(header, { signal } = {}) {
      throwIfAborted(signal);
      if (state !== 'begun') throw new Error(`memorySink: create when ${state}`);
      if (!isSafePath(header.path)) throw new HoldfastError('FORMAT_INVALID', 'memorySink: unsafe path');
      if (last !== null && comparePaths(last, header.path) >= 0) {
        throw new Error(`memorySink: ${displayPath(header.path)} is not after ${displayPath(last)}`);
      }
      last = header.path;
      if (options.order === 'ascending' && open > 0) throw new Error('memorySink: two objects at once');
      const { path, kind } = header;
      const object: MemorySinkObject = {
        path,
        kind,
        attributes: header.attributes,
        content: null,
        writtenBytes: 0,
      };
      objects.set(displayPath(path), object);
      if (header.size === null || WITHOUT_CONTENT.has(kind)) return null;
      open += 1;
      return memoryWriter(object, options, () => {
        open -= 1;
      });
    },
    async finish({ signal } = {}) {
      throwIfAborted(signal);
      if (state !== 'begun') throw new Error(`memorySink: finish when ${state}`);
      if (open > 0) throw new Error(`memorySink: finish with ${open} objects incomplete`);
      state = 'finished';
    },
    async abort() {
      if (state !== 'finished') state = 'aborted';
    },
  };
}

function memoryWriter(
  object: MemorySinkObject,
  options: MemorySinkOptions,
  completed: () => void,
): ContentWriter {
  const pieces: { offset: number; bytes: Uint8Array }[] = [];
  let writing = 0;
  let end = 0;
  return {
    async write(offset, bytes) {
      if (object.content !== null) throw new Error('memorySink: write after complete');
      if (options.order === 'ascending' && (offset < end || writing > 0))
        throw new Error('memorySink: not ascending');
      writing += 1;
      end = offset + bytes.length;
      options.onWrite?.(object, offset, bytes.length);
      // Copies late on purpose: a caller who reuses its buffer before the promise settles is caught by its content.
      await new Promise((resolve) => setImmediate(resolve));
      pieces.push({ offset, bytes: Uint8Array.from(bytes) });
      object.writtenBytes += bytes.length;
      writing -= 1;
    },
    async complete(size) {
      if (writing > 0) throw new Error('memorySink: complete during a write');
      if (object.content !== null) throw new Error('memorySink: completed twice');
      object.content = assemble(pieces, size);
      completed();
    },
  };
}

function assemble(pieces: { offset: number; bytes: Uint8Array }[], size: number): Uint8Array {
  const content = new Uint8Array(size);
  let end = 0;
  for (const { offset, bytes } of pieces.sort((a, b) => a.offset - b.offset)) {
    if (offset < end) throw new Error(`memorySink: ranges overlap at ${offset}`);
    end = offset + bytes.length;
    if (end > size) throw new Error(`memorySink: write to ${end} past the size ${size}`);
    content.set(bytes, offset);
  }
  return content;
}

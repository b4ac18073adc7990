import type { Readable } from 'node:stream';
import {
  type ContentReader,
  cancelled,
  copyInto,
  HoldfastError,
  isSafePath,
  pathFromText,
  type Source,
  type SourceSnapshot,
  throwIfAborted,
} from '@holdfast/contracts';
import { readError } from '../file/system-errors.ts';

export interface StreamSourceOptions {
  readonly stream: Readable;
  /** Path of the one object, such as `dump.sql`. */
  readonly name: string;
}

/** One object of unknown size, read as fast as it is asked for and no faster. Can be opened once. */
export function streamSource(options: StreamSourceOptions): Source {
  const path = pathFromText(options.name);
  let opened = false;
  const check = (): void => {
    if (!isSafePath(path))
      throw new HoldfastError('USAGE', `${options.name} cannot be the name of an object`);
    if (opened || options.stream.destroyed) {
      throw new HoldfastError('SOURCE_UNREADABLE', 'A stream can be read only once', {
        hint: 'Run the program that produces it again.',
      });
    }
  };
  return {
    kind: 'stdin',
    async test({ signal } = {}) {
      throwIfAborted(signal);
      check();
      return { kind: 'stdin', bytes: null, objects: 1, facts: { name: options.name } };
    },
    async open({ signal } = {}) {
      throwIfAborted(signal);
      check();
      opened = true;
      return streamSnapshot(options, path);
    },
  };
}

function streamSnapshot(options: StreamSourceOptions, path: Uint8Array): SourceSnapshot {
  const reader = streamReader(options.stream, options.name);
  return {
    attributes: {},
    estimate: { objects: 1, bytes: null },
    problems: [],
    async *objects({ signal } = {}) {
      throwIfAborted(signal);
      const header = { path, kind: 'stream', attributes: {}, size: null, fingerprint: null };
      yield { ...header, cut: { by: 'content' }, open: async () => reader };
    },
    close: () => reader.close(),
  };
}

function streamReader(stream: Readable, name: string): ContentReader {
  let rest: Uint8Array = new Uint8Array(0);
  let ended = false;
  let failure: unknown = null;
  const waiting = new Set<() => void>();
  const wake = (): void => {
    for (const resume of waiting) resume();
  };
  stream.on('readable', wake);
  stream.once('end', () => {
    ended = true;
    wake();
  });
  stream.on('error', (error) => {
    failure = error;
    wake();
  });
  stream.once('close', () => {
    if (!ended) failure ??= new Error('it was closed before its end');
    wake();
  });
  const more = (signal?: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const resume = (): void => {
        waiting.delete(resume);
        signal?.removeEventListener('abort', resume);
        resolve();
      };
      waiting.add(resume);
      signal?.addEventListener('abort', resume);
    });
  return {
    async read(into, { signal } = {}) {
      let filled = 0;
      while (filled < into.length) {
        if (signal?.aborted) throw cancelled(signal);
        if (rest.length === 0) {
          const next: unknown = stream.read();
          if (next !== null) rest = asBytes(next, name);
          else if (failure !== null) throw readError(failure, name);
          else if (ended) break;
          else await more(signal);
          continue;
        }
        const length = Math.min(rest.length, into.length - filled);
        copyInto(into, filled, rest.subarray(0, length));
        rest = rest.subarray(length);
        filled += length;
      }
      return filled === 0 ? { kind: 'end' } : { kind: 'data', length: filled };
    },
    async close() {
      stream.destroy();
    },
  };
}

function asBytes(piece: unknown, name: string): Uint8Array {
  if (piece instanceof Uint8Array) return piece;
  throw new HoldfastError('SOURCE_UNREADABLE', `The stream ${name} gives text or objects and not bytes`);
}

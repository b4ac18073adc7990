import type { Writable } from 'node:stream';
import {
  type ContentWriter,
  HoldfastError,
  isSafePath,
  type Sink,
  throwIfAborted,
} from '@holdfast/contracts';
import { invalid } from '../file/attributes.ts';
import { StreamOutput } from './stream-output.ts';

const KINDS = new Set(['database', 'stream', 'file']);
const ZEROS = new Uint8Array(256 * 1024);

/**
 * Writes the one object of a snapshot to a stream. What was written cannot be taken back: after a failure the reader has
 * a part, and only the exit code says so. Does not end the stream, which belongs to the caller.
 */
export function streamSink(options: { readonly stream: Writable }): Sink {
  const output = new StreamOutput(options.stream);
  let started = false;
  let completed = false;
  return {
    order: 'ascending',
    async begin(_snapshot, { signal } = {}) {
      throwIfAborted(signal);
    },
    async create(object, { signal } = {}) {
      throwIfAborted(signal);
      if (!isSafePath(object.path)) throw invalid(object, 'an unsafe path');
      if (object.size === null || started || !KINDS.has(object.kind)) {
        throw new HoldfastError(
          'USAGE',
          'Only a snapshot of one database or stream can be written to a stream',
          {
            hint: 'Restore this snapshot to a directory.',
          },
        );
      }
      started = true;
      return streamWriter(output, () => {
        completed = true;
      });
    },
    async finish({ signal } = {}) {
      throwIfAborted(signal);
      if (!completed)
        throw new HoldfastError('FORMAT_INVALID', 'The snapshot holds nothing that could be written');
      await output.write(new Uint8Array(0));
    },
    async abort() {
      output.release();
    },
  };
}

function streamWriter(output: StreamOutput, completed: () => void): ContentWriter {
  let position = 0;
  const skipTo = async (offset: number): Promise<void> => {
    if (offset < position) throw new HoldfastError('INTERNAL', 'Bytes for a stream came out of order');
    while (position < offset) {
      const length = Math.min(ZEROS.length, offset - position);
      await output.write(ZEROS.subarray(0, length));
      position += length;
    }
  };
  return {
    async write(offset, bytes) {
      await skipTo(offset);
      await output.write(bytes);
      position += bytes.length;
    },
    async complete(size) {
      await skipTo(size);
      completed();
    },
  };
}

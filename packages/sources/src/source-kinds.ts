import type { Writable } from 'node:stream';
import { HoldfastError, type Sink } from '@holdfast/contracts';
import { fileSink } from './file/single-file-sink.ts';
import { sqliteSink } from './sqlite/sqlite-sink.ts';
import { streamSink } from './stream/stream-sink.ts';
import { treeSink } from './tree/tree-sink.ts';

/** What `Source.kind` can be here, and so what a snapshot can be of. */
export const SOURCE_KINDS = ['sqlite', 'tree', 'stdin'] as const;
export type SourceKind = (typeof SOURCE_KINDS)[number];

export const isSourceKind = (text: string): text is SourceKind => SOURCE_KINDS.some((kind) => kind === text);

export type RestoreTarget =
  | { readonly path: string; readonly overwrite: boolean }
  | { readonly stream: Writable };

/** The sink for a snapshot of `kind`. USAGE when the two do not go together. */
export function sinkFor(kind: string, target: RestoreTarget): Sink {
  if (!isSourceKind(kind))
    throw new HoldfastError('USAGE', `No way is known to restore a snapshot of kind ${kind}`);
  if ('stream' in target) {
    if (kind !== 'tree') return streamSink(target);
    throw new HoldfastError('USAGE', 'A file tree cannot be written to a stream', {
      hint: 'Restore it to a directory.',
    });
  }
  if (kind === 'sqlite') return sqliteSink(target);
  return kind === 'tree' ? treeSink(target) : fileSink(target);
}

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { Writable } from 'node:stream';
import type { Sink } from '@holdfast/contracts';
import { PartialFile } from '../file/partial-file.ts';
import { alreadyExists } from '../file/single-file-sink.ts';
import { type ExportOptions, exportSink } from './export-sink.ts';

export interface ExportFileOptions extends Omit<ExportOptions, 'stream'> {
  readonly path: string;
  readonly overwrite: boolean;
}

/** As `exportSink`, to a file that appears under its name when all of it is there. ALREADY_EXISTS unless overwriting. */
export function exportFileSink({ path, overwrite, ...options }: ExportFileOptions): Sink {
  const target = resolve(path);
  let file: PartialFile | null = null;
  let position = 0;
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      file!.write(position, chunk).then(() => done(), done);
      position += chunk.length;
    },
  });
  // What goes wrong is told by the write that waits for it; nobody else listens.
  stream.on('error', () => {});
  const rows = exportSink({ ...options, stream });
  return {
    order: rows.order,
    async begin(snapshot, when) {
      if (!overwrite && existsSync(target)) throw alreadyExists(target);
      await rows.begin(snapshot, when);
      file = await PartialFile.create(target);
    },
    create: (object, when) => rows.create(object, when),
    async finish(when) {
      await rows.finish(when);
      await new Promise<void>((done, fail) => {
        stream.end((error?: Error | null) => (error ? fail(error) : done()));
      });
      await file!.sync();
      await file!.publish();
      file = null;
    },
    async abort() {
      await rows.abort();
      stream.destroy();
      await file?.discard();
      file = null;
    },
  };
}

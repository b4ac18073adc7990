import { type ContentWriter, displayPath, HoldfastError, type Sink } from '@holdfast/contracts';
import {
  decodeRowsDescription,
  decodeRowsIndex,
  type RowsDescription,
  type RowsIndex,
} from '@holdfast/formats/rows';
import { rowsPathOf } from '../restore/row-objects.ts';

/** What an object of rows held when it was backed up. */
export interface RecordedObject {
  readonly rows: RowsDescription;
  readonly index: Pick<RowsIndex, 'rows' | 'checksum'>;
}

/** Notes what a snapshot says of its rows while it passes by on its way into a sink: nothing is fetched twice. */
export class RecordedRows {
  readonly #rows = new Map<string, RowsDescription>();
  readonly #indexes = new Map<string, Pick<RowsIndex, 'rows' | 'checksum'>>();

  /** The sink that a restore writes to. */
  through(sink: Sink): Sink {
    return {
      order: sink.order,
      begin: (snapshot, options) => sink.begin(snapshot, options),
      finish: (options) => sink.finish(options),
      abort: () => sink.abort(),
      create: async (object, options) => {
        const path = displayPath(object.path);
        const { rows } = object.attributes;
        if (object.kind === 'rows' && rows instanceof Uint8Array)
          this.#rows.set(path, decodeRowsDescription(rows));
        const writer = await sink.create(object, options);
        if (object.kind !== 'rows-index' || writer === null) return writer;
        return this.#noting(rowsPathOf(object), object.size ?? 0, writer);
      },
    };
  }

  /** FORMAT_INVALID when rows came without what was recorded of them. */
  all(): RecordedObject[] {
    return [...this.#rows].map(([path, rows]) => {
      const index = this.#indexes.get(path);
      if (index) return { rows, index };
      throw new HoldfastError(
        'FORMAT_INVALID',
        `The snapshot has no index of ${path}, so nothing to compare with.`,
      );
    });
  }

  #noting(path: string, size: number, writer: ContentWriter): ContentWriter {
    const content = Buffer.alloc(size);
    return {
      write: (offset, bytes) => {
        content.set(bytes, offset);
        return writer.write(offset, bytes);
      },
      complete: async (length) => {
        const { rows, checksum } = decodeRowsIndex(content.subarray(0, length));
        this.#indexes.set(path, { rows, checksum });
        await writer.complete(length);
      },
    };
  }
}

import type { ContentReader, Sink, SourceObject, SourceSnapshot } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/contracts';

export interface CopyOptions {
  readonly signal?: AbortSignal;
  /** Bytes per read; default 256 KiB. */
  readonly bufferBytes?: number;
}

/**
 * Source to sink without an engine between: one object after the other, through one shared buffer as the engine uses
 * them. Closes the snapshot's readers but not the snapshot; finishes the sink, or aborts it and throws.
 */
export async function copySnapshot(
  snapshot: SourceSnapshot,
  sink: Sink,
  options: CopyOptions = {},
): Promise<void> {
  const { signal } = options;
  const buffer = new Uint8Array(new SharedArrayBuffer(options.bufferBytes ?? 256 * 1024));
  try {
    await sink.begin({ attributes: snapshot.attributes }, { signal });
    for await (const object of snapshot.objects({ signal })) await copyObject(object, sink, buffer, signal);
    await sink.finish({ signal });
  } catch (error) {
    await sink.abort();
    throw error;
  }
}

async function copyObject(
  object: SourceObject,
  sink: Sink,
  buffer: Uint8Array,
  signal?: AbortSignal,
): Promise<void> {
  const { path, kind, attributes } = object;
  if (object.cut === null) {
    await sink.create({ path, kind, attributes, size: null }, { signal });
    return;
  }
  const reader = await openOrSkip(object);
  if (reader === null) return;
  try {
    // A sink is told the size that a manifest would record, so content of unknown size is read beforehand.
    const known = object.size === null ? await readWhole(reader, buffer, signal) : null;
    const writer = await sink.create(
      { path, kind, attributes, size: known?.length ?? object.size },
      { signal },
    );
    if (writer === null) throw new Error('copySnapshot: the sink gave no writer for an object with content');
    if (known !== null) {
      await writer.write(0, known);
      await writer.complete(known.length);
      return;
    }
    let offset = 0;
    for (;;) {
      const result = await reader.read(buffer, { signal });
      if (result.kind === 'end') break;
      if (result.kind === 'data') await writer.write(offset, buffer.subarray(0, result.length));
      offset += result.length;
    }
    await writer.complete(offset);
  } finally {
    await reader.close();
  }
}

async function openOrSkip(object: SourceObject): Promise<ContentReader | null> {
  try {
    return await object.open();
  } catch (error) {
    if (HoldfastError.is(error, 'SOURCE_UNREADABLE')) return null;
    throw error;
  }
}

/** All of the content in memory, holes as zeros: for tests' sizes only. */
export async function readWhole(
  reader: ContentReader,
  buffer: Uint8Array,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (;;) {
    const result = await reader.read(buffer, { signal });
    if (result.kind === 'end') return Buffer.concat(parts);
    parts.push(
      result.kind === 'hole'
        ? new Uint8Array(result.length)
        : Uint8Array.from(buffer.subarray(0, result.length)),
    );
  }
}

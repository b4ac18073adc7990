import { displayPath } from '@holdfast/contracts';
import { decodeCanonical, encodeCanonical } from './cbor.ts';
import { ContentCheck } from './content-check.ts';
import type { Extent } from './extents.ts';
import { type FieldReader, oneOf, readFields, tupleOf } from './fields.ts';
import {
  type EncodedObject,
  encodeOnce,
  extentsFromCbor,
  extentsToCbor,
  type ObjectRecord,
  objectFromCbor,
} from './object-record.ts';
import { listWithLength, MAX_RECORD_BYTES, RecordReader, withLength } from './records.ts';

export type MetadataRecord =
  | { readonly type: 'object'; readonly object: ObjectRecord }
  | { readonly type: 'extents'; readonly extents: Extent[] };

const OBJECT = 0;
const OBJECT_BYTES = encodeCanonical(OBJECT);
const EXTENTS = 1;
const WHAT = 'the stream of objects';

/** With its length prefix. FORMAT_INVALID when the object cannot be written: its attributes exceed 1 MiB, say. */
export function encodeObject(object: ObjectRecord | EncodedObject): Uint8Array {
  const { path, bytes } = 'bytes' in object ? object : encodeOnce(object);
  return listWithLength([OBJECT_BYTES, bytes], `the record of ${displayPath(path)}`);
}

/**
 * With its length prefix: 1 to `MAX_EXTENTS` extents of the object before. Where a long list is cut into records should
 * depend on the extents themselves (see `ExtentCutter`), or one more extent would change all records after it.
 */
export function encodeExtents(extents: readonly Extent[]): Uint8Array {
  return withLength(encodeCanonical([EXTENTS, extentsToCbor(extents)]), 'a record of extents');
}

/** Also checks that the extents of each object add up to its size. */
export function metadataReader(): RecordReader<MetadataRecord> {
  const content = new ContentCheck(WHAT);
  const read: FieldReader<MetadataRecord> = (value) => {
    const record = recordFromCbor(value);
    if (record.type === 'object') content.begin(record.object);
    else content.add(record.extents);
    return record;
  };
  return new RecordReader(
    WHAT,
    (body) =>
      readFields(
        decodeCanonical(body, { what: `a record of ${WHAT}`, maxBytes: MAX_RECORD_BYTES }),
        WHAT,
        read,
      ),
    () => content.finish(),
  );
}

const objectColumns = tupleOf(oneOf(OBJECT), objectFromCbor);
const extentColumns = tupleOf(oneOf(EXTENTS), extentsFromCbor);

const recordFromCbor: FieldReader<MetadataRecord> = (value) =>
  Array.isArray(value) && value[0] === EXTENTS
    ? { type: 'extents', extents: extentColumns(value)[1] }
    : { type: 'object', object: objectColumns(value)[1] };

import { type Attributes, type Cut, displayPath, HoldfastError } from '@holdfast/contracts';
import { attributes, attributesToCbor } from './attributes.ts';
import { type CborValue, encodeCanonical } from './cbor.ts';
import { type Extent, extentsOf, MAX_EXTENTS, packExtents } from './extents.ts';
import { bytesOf, checked, type FieldReader, refuse, textOf, tupleOf, uint } from './fields.ts';

export interface ObjectRecord {
  readonly path: Uint8Array;
  readonly kind: string;
  readonly attributes: Attributes;
  /** Content bytes, holes included: exactly what the extents that follow add up to. */
  readonly size: number;
  /** Null for objects without content; their size is 0. */
  readonly cut: Cut | null;
}

const MAX_PATH_BYTES = 65_535;
const ROWS = 'rows';
const MAX_KIND_LENGTH = 64;
const MAX_BLOCK_BYTES = 2 ** 31 - 1;

export function objectToCbor(object: ObjectRecord): CborValue {
  const { path, kind, size } = object;
  const columns = [path, kind, attributesToCbor(object.attributes), size, cutToCbor(object.cut)];
  return checked(columns, `The record of ${displayPath(path)}`, objectFromCbor);
}

/** An object's canonical bytes: checked and encoded once, for each of the records that contain it. */
export interface EncodedObject {
  readonly path: Uint8Array;
  readonly bytes: Uint8Array;
}

export const encodeOnce = (object: ObjectRecord): EncodedObject => ({
  path: object.path,
  bytes: encodeCanonical(objectToCbor(object)),
});

export const objectFromCbor: FieldReader<ObjectRecord> = (value) => {
  const [path, kind, objectAttributes, size, objectCut] = objectColumns(value);
  if (objectCut === null && size !== 0) refuse('has a size but no content');
  return { path, kind, attributes: objectAttributes, size, cut: objectCut };
};

/** Null without content, 0 for content-defined borders, "rows", else the length of a block. */
function cutToCbor(cut: Cut | null): CborValue {
  if (cut === null) return null;
  switch (cut.by) {
    case 'content':
      return 0;
    case 'rows':
      return ROWS;
    case 'blocks':
      return cut.blockBytes;
  }
}

const cutFromCbor: FieldReader<Cut | null> = (value) => {
  if (value === null) return null;
  if (value === ROWS) return { by: 'rows' };
  const blockBytes = uint(MAX_BLOCK_BYTES)(value);
  return blockBytes === 0 ? { by: 'content' } : { by: 'blocks', blockBytes };
};

const objectColumns = tupleOf(
  bytesOf(1, MAX_PATH_BYTES),
  textOf(MAX_KIND_LENGTH),
  attributes,
  uint(),
  cutFromCbor,
);

/** What one record holds: at least one extent, at most `MAX_EXTENTS`. */
export function extentsToCbor(extents: readonly Extent[]): CborValue {
  if (extents.length >= 1 && extents.length <= MAX_EXTENTS) return packExtents(extents);
  throw new HoldfastError('INTERNAL', `A record holds 1 to ${MAX_EXTENTS} extents, not ${extents.length}`);
}

export const extentsFromCbor: FieldReader<Extent[]> = (value) => {
  const extents = readExtents(value);
  return extents.length > 0 ? extents : refuse('has no extents');
};

const readExtents = extentsOf(MAX_EXTENTS);

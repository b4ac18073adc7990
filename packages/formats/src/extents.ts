import { HoldfastError } from '@holdfast/contracts';
import { type FieldReader, refuse } from './fields.ts';
import { VarintReader, writeVarint } from './varint.ts';

/** A run of an object's content: either `length` bytes from `offset` of a raw frame, or `length` zero bytes. */
export type Extent =
  | {
      readonly kind: 'data';
      readonly partition: number;
      readonly frame: number;
      readonly offset: number;
      readonly length: number;
    }
  | { readonly kind: 'hole'; readonly length: number };

/** What one `extents` record holds at most. */
export const MAX_EXTENTS = 4096;
/** 2 PiB − 1: the two lowest bits of the first number of an extent say how it goes on. */
export const MAX_EXTENT_LENGTH = 2 ** 51 - 1;
/** Differences of partition numbers are doubled by the zigzag and must stay safe integers. */
export const MAX_PARTITION = 2 ** 51 - 1;
const MAX_FRAME = 2 ** 32 - 1;

/** Where the previous extent ended is where most extents begin, or at the start of the next frame. */
const FOLLOWS = 0;
const NEXT_FRAME = 1;
const ELSEWHERE = 2;
const HOLE = 3;

/** Four varints of at most eight bytes each. */
const MAX_ENCODED_EXTENT = 32;

/**
 * Each extent is a varint `length × 4 + step`; `ELSEWHERE` is followed by three more: the partition as a zigzag
 * difference from the previous one, the frame, and the offset. Nothing depends on what lies before the list, so an
 * object that did not change has the same bytes in every snapshot.
 */
export function packExtents(extents: readonly Extent[]): Uint8Array {
  const bytes = new Uint8Array(extents.length * MAX_ENCODED_EXTENT);
  let at = 0;
  let partition = 0;
  let frame = 0;
  let end = 0;
  for (const extent of extents) {
    checkExtent(extent);
    const { length } = extent;
    if (extent.kind === 'hole') {
      at = writeVarint(bytes, at, length * 4 + HOLE);
      continue;
    }
    const step = stepTo(extent, partition, frame, end);
    at = writeVarint(bytes, at, length * 4 + step);
    if (step === ELSEWHERE) {
      const difference = extent.partition - partition;
      at = writeVarint(bytes, at, difference >= 0 ? difference * 2 : -difference * 2 - 1);
      at = writeVarint(bytes, at, extent.frame);
      at = writeVarint(bytes, at, extent.offset);
    }
    partition = extent.partition;
    frame = extent.frame;
    end = extent.offset + length;
  }
  return bytes.slice(0, at);
}

/** Reads what `packExtents` wrote: at most `max` extents, each in its shortest form. */
export const extentsOf =
  (max: number): FieldReader<Extent[]> =>
  (value) => {
    if (!(value instanceof Uint8Array)) return refuse('is not a packed list of extents');
    const numbers = new VarintReader(value);
    const extents: Extent[] = [];
    let partition = 0;
    let frame = 0;
    let end = 0;
    while (!numbers.done) {
      if (extents.length >= max) refuse(`has more than ${max} extents`);
      const first = numbers.next();
      const step = first % 4;
      const length = (first - step) / 4;
      if (length === 0) refuse('has an extent of length 0');
      if (step === HOLE) {
        extents.push({ kind: 'hole', length });
        continue;
      }
      const next = step === ELSEWHERE ? readElsewhere(numbers, partition) : { partition, frame, offset: end };
      if (step === NEXT_FRAME) {
        next.frame = frame + 1;
        next.offset = 0;
      }
      if (step !== stepTo(next, partition, frame, end))
        refuse('has an extent that is not in its shortest form');
      if (next.frame > MAX_FRAME || next.offset + length > Number.MAX_SAFE_INTEGER)
        refuse('has an extent out of range');
      ({ partition, frame } = next);
      end = next.offset + length;
      extents.push({ kind: 'data', partition, frame, offset: next.offset, length });
    }
    return extents;
  };

interface Place {
  partition: number;
  frame: number;
  offset: number;
}

function stepTo(place: Readonly<Place>, partition: number, frame: number, end: number): number {
  if (place.partition !== partition) return ELSEWHERE;
  if (place.frame === frame && place.offset === end) return FOLLOWS;
  return place.frame === frame + 1 && place.offset === 0 ? NEXT_FRAME : ELSEWHERE;
}

function readElsewhere(numbers: VarintReader, previous: number): Place {
  const zigzag = numbers.next();
  const difference = zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
  const partition = previous + difference;
  if (partition < 0 || partition > MAX_PARTITION) refuse('has a partition number out of range');
  return { partition, frame: numbers.next(), offset: numbers.next() };
}

function checkExtent(extent: Extent): void {
  const good =
    isUint(extent.length, MAX_EXTENT_LENGTH) &&
    extent.length > 0 &&
    (extent.kind === 'hole' ||
      (isUint(extent.partition, MAX_PARTITION) &&
        isUint(extent.frame, MAX_FRAME) &&
        isUint(extent.offset, Number.MAX_SAFE_INTEGER - extent.length)));
  if (!good) throw new HoldfastError('INTERNAL', `Extent out of range: ${JSON.stringify(extent)}`);
}

const isUint = (value: number, max: number): boolean =>
  Number.isSafeInteger(value) && value >= 0 && value <= max;

import { type Attributes, type AttributeValue, HoldfastError, type ObjectHeader } from '@holdfast/contracts';
import { displayTarget } from './system-errors.ts';

const MAX_ID = 0xffff_ffff;

/** FORMAT_INVALID: attributes come from outside. */
export function invalid(object: Pick<ObjectHeader, 'path'>, what: string): HoldfastError {
  return new HoldfastError('FORMAT_INVALID', `${displayTarget(object.path)}: ${what}`, {
    hint: 'The snapshot was not written by a sound program, or not for this kind of target.',
  });
}

/** A whole number from 0 to `max`; null when the attribute is missing. FORMAT_INVALID for anything else. */
export function wholeNumber(
  object: Pick<ObjectHeader, 'path' | 'attributes'>,
  name: string,
  max: number,
): number | null {
  const value: AttributeValue | undefined = object.attributes[name];
  if (value === undefined || value === null) return null;
  const number = typeof value === 'bigint' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isSafeInteger(number) || number < 0 || number > max) {
    throw invalid(object, `attribute ${name} makes no sense`);
  }
  return number;
}

/** Permission bits; null when unknown. */
export const modeOf = (object: Pick<ObjectHeader, 'path' | 'attributes'>): number | null =>
  wholeNumber(object, 'mode', 0o7777);

/** Null unless both are known. */
export function ownerOf(
  object: Pick<ObjectHeader, 'path' | 'attributes'>,
): { uid: number; gid: number } | null {
  const uid = wholeNumber(object, 'uid', MAX_ID);
  const gid = wholeNumber(object, 'gid', MAX_ID);
  return uid === null || gid === null ? null : { uid, gid };
}

/** The attributes that the above read back. */
export function ownershipAttributes(stats: { mode: bigint; uid: bigint; gid: bigint }): Attributes {
  return { mode: Number(stats.mode & 0o7777n), uid: Number(stats.uid), gid: Number(stats.gid) };
}

import { HoldfastError, type Random } from '@holdfast/contracts';
import { DOMAINS, framedText, tagged } from './domains.ts';
import { GCM_NONCE_BYTES, GCM_TAG_BYTES, gcmOpen, gcmSeal } from './gcm.ts';

/** What a box is longer than its content: nonce and tag. */
export const BOX_OVERHEAD = GCM_NONCE_BYTES + GCM_TAG_BYTES;

export interface BoxKey {
  /** 32 bytes. Good for 2^32 boxes: nonces are random. */
  readonly key: Uint8Array;
  /** What kind of record this is, with its version: `holdfast/head/v1`. Another kind's box does not open. */
  readonly domain: string;
  /** Not in the box, but vouched for: opening takes the same bytes. */
  readonly associated?: Uint8Array;
}

/** For small records that are sealed again and again under one key: nonce ‖ AES-256-GCM ciphertext ‖ tag. */
export function sealBox(
  { key, domain, associated }: BoxKey,
  content: Uint8Array,
  random: Random,
): Uint8Array {
  const nonce = random.bytes(GCM_NONCE_BYTES);
  return Buffer.concat([nonce, ...gcmSeal({ key, nonce }, associatedData(domain, associated), content)]);
}

/** SEAL_BROKEN for another key, domain or associated data, and for changed bytes: they cannot be told apart. */
export function openBox({ key, domain, associated }: BoxKey, box: Uint8Array): Uint8Array {
  if (box.length < BOX_OVERHEAD) throw new HoldfastError('SEAL_BROKEN', `A sealed ${domain} is cut short.`);
  const nonce = box.subarray(0, GCM_NONCE_BYTES);
  const content = gcmOpen({ key, nonce }, associatedData(domain, associated), box.subarray(GCM_NONCE_BYTES));
  if (!content) {
    throw new HoldfastError('SEAL_BROKEN', `A sealed ${domain} failed authentication.`, {
      hint: 'It was changed, or sealed under another key.',
    });
  }
  return content;
}

const associatedData = (domain: string, associated: Uint8Array = new Uint8Array(0)): Uint8Array =>
  tagged(DOMAINS.box, framedText(domain), associated);

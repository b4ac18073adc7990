import { createCipheriv, createDecipheriv } from 'node:crypto';
import { HoldfastError, type Random } from '@holdfast/contracts';
import { DOMAINS, framedText, tagged } from './domains.ts';

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** What a box is longer than its content: nonce and tag. */
export const BOX_OVERHEAD = NONCE_BYTES + TAG_BYTES;

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
  const nonce = random.bytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(associatedData(domain, associated));
  const body = cipher.update(content);
  cipher.final();
  return Buffer.concat([nonce, body, cipher.getAuthTag()]);
}

/** SEAL_BROKEN for another key, domain or associated data, and for changed bytes: they cannot be told apart. */
export function openBox({ key, domain, associated }: BoxKey, box: Uint8Array): Uint8Array {
  if (box.length < BOX_OVERHEAD) throw new HoldfastError('SEAL_BROKEN', `A sealed ${domain} is cut short.`);
  const end = box.length - TAG_BYTES;
  const decipher = createDecipheriv(ALGORITHM, key, box.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(associatedData(domain, associated)).setAuthTag(box.subarray(end));
  const content = decipher.update(box.subarray(NONCE_BYTES, end));
  try {
    decipher.final();
  } catch {
    content.fill(0);
    throw new HoldfastError('SEAL_BROKEN', `A sealed ${domain} failed authentication.`, {
      hint: 'It was changed, or sealed under another key.',
    });
  }
  return content;
}

const associatedData = (domain: string, associated: Uint8Array = new Uint8Array(0)): Uint8Array =>
  tagged(DOMAINS.box, framedText(domain), associated);

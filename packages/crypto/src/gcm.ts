import { createCipheriv, createDecipheriv } from 'node:crypto';

const ALGORITHM = 'aes-256-gcm';
export const GCM_NONCE_BYTES = 12;
export const GCM_TAG_BYTES = 16;

export interface GcmKey {
  /** 32 bytes. */
  readonly key: Uint8Array;
  /** {@link GCM_NONCE_BYTES} bytes, never twice under one key: the caller sees to it. */
  readonly nonce: Uint8Array;
}

/** A small record in one piece: AES-256-GCM ciphertext ‖ tag. */
export function gcmSeal(
  { key, nonce }: GcmKey,
  associated: Uint8Array,
  content: Uint8Array,
): readonly [body: Uint8Array, tag: Uint8Array] {
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: GCM_TAG_BYTES });
  cipher.setAAD(associated);
  const body = cipher.update(content);
  cipher.final();
  return [body, cipher.getAuthTag()];
}

/** @param sealed ciphertext ‖ tag. Undefined if it does not authenticate; then nothing of the content is left behind. */
export function gcmOpen(
  { key, nonce }: GcmKey,
  associated: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  const end = sealed.length - GCM_TAG_BYTES;
  if (end < 0) return undefined;
  const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: GCM_TAG_BYTES });
  decipher.setAAD(associated).setAuthTag(sealed.subarray(end));
  const content = decipher.update(sealed.subarray(0, end));
  try {
    decipher.final();
    return content;
  } catch {
    content.fill(0);
    return undefined;
  }
}

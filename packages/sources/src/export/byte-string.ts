/**
 * Exports are made of strings of one character for each byte: what a database calls text may be in any encoding, and has to come
 * out as it is.
 */
export const byteString = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');

/** Of text of our own, in UTF-8. */
export const utf8ByteString = (text: string): string => Buffer.from(text).toString('latin1');

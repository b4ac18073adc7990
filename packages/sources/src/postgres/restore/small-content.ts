import { type ContentWriter, HoldfastError } from '@holdfast/contracts';

/** Objects of JSON or CBOR; an index has about 100 bytes for each MiB of rows. */
const MAX_BYTES = 1024 * 1024 * 1024;

/** Keeps content in memory until it is whole, then hands it over. */
export function smallContent(name: string, whole: (content: Buffer) => Promise<void> | void): ContentWriter {
  const pieces: Buffer[] = [];
  let length = 0;
  return {
    async write(offset, bytes) {
      if (offset !== length || length + bytes.length > MAX_BYTES)
        throw new HoldfastError('FORMAT_INVALID', `The content of ${name} is too long or out of order`);
      pieces.push(Buffer.from(bytes));
      length += bytes.length;
    },
    async complete(size) {
      if (size !== length)
        throw new HoldfastError('FORMAT_INVALID', `${name} has ${length} bytes instead of ${size}`);
      await whole(Buffer.concat(pieces));
    },
  };
}

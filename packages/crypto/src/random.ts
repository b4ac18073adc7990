import { randomBytes, randomUUID } from 'node:crypto';
import type { Random } from '@holdfast/contracts';

/** The operating system's generator, through OpenSSL's. */
export const systemRandom: Random = {
  bytes: (length) => (length === 0 ? new Uint8Array(0) : new Uint8Array(randomBytes(length))),
  uuid: () => randomUUID(),
  uniform: () => {
    const bytes = randomBytes(8);
    // 21 + 32 bits: as many as a double holds exactly.
    return ((bytes.readUInt32BE(0) >>> 11) * 2 ** 32 + bytes.readUInt32BE(4)) / 2 ** 53;
  },
};

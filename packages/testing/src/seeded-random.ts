import { createCipheriv, createHash } from 'node:crypto';
import { bytesToUuid, type Random } from '@holdfast/contracts';

/** The same seed gives the same numbers, on every machine: AES-256-CTR's key stream under the seed's hash. */
export function seededRandom(seed: string | number): Random {
  const key = createHash('sha256').update(`seed ${seed}`).digest();
  const stream = createCipheriv('aes-256-ctr', key, Buffer.alloc(16));
  const bytes = (length: number): Uint8Array => new Uint8Array(stream.update(Buffer.alloc(length)));
  return {
    bytes,
    uuid: () => {
      const raw = bytes(16);
      raw[6] = (raw[6]! & 0x0f) | 0x40;
      raw[8] = (raw[8]! & 0x3f) | 0x80;
      return bytesToUuid(raw);
    },
    uniform: () => {
      const raw = bytes(8);
      return Number(new DataView(raw.buffer).getBigUint64(0) >> 11n) / 2 ** 53;
    },
  };
}

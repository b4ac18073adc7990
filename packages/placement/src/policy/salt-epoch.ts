import { createHmac } from 'node:crypto';
import { HoldfastError } from '@holdfast/contracts';

/**
 * The salt of an epoch: HMAC-SHA256 of its number under the owner's secret. A new epoch draws new peers for new partitions, in a
 * way that has nothing to do with the one before; what is placed stays where it is, because placements are recorded.
 * @param secret 32 bytes
 * @param epoch from 0
 */
export function epochSalt(secret: Uint8Array, epoch: number): Uint8Array {
  if (!Number.isSafeInteger(epoch) || epoch < 0) {
    throw new HoldfastError('USAGE', `Placement epoch is ${epoch}; it must be a whole number from 0.`);
  }
  const number = Buffer.alloc(8);
  number.writeBigUInt64BE(BigInt(epoch));
  return createHmac('sha256', secret).update('holdfast placement epoch 1').update(number).digest();
}

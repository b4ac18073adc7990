import { createHmac } from 'node:crypto';

/**
 * A share from 0 to below 1 that depends on nothing but its arguments: the same slot of the same task is always put off by the same
 * time, and different vaults (seeds) by different ones, so that their peers are not all asked at once.
 */
export function slotShare(seed: Uint8Array, task: string, slot: number): number {
  const digest = createHmac('sha256', seed).update(`${task}\0${slot}`).digest();
  return digest.readUIntBE(0, 6) / 2 ** 48;
}

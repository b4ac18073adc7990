import { createHmac, createSecretKey } from 'node:crypto';
import { HoldfastError, type PeerId, type Random } from '@holdfast/contracts';
import { Dice } from './dice.ts';
import { discreteLaplace } from './discrete-laplace.ts';
import { microOf, noiseScale, type PrivacySettings } from './privacy-settings.ts';

/** The settings that a noisy weight depends on. */
export type NoiseTerms = Pick<PrivacySettings, 'epsilon' | 'fullWeight' | 'gridSteps'>;

/** Where noise comes from: a key, so that whoever has it can compute the noise again; or chance. */
export type NoiseSource = { readonly key: Uint8Array } | { readonly random: Random };

/** One drawing of noise for all peers. */
export interface NoiseOccasion {
  readonly epoch: number;
  /** Counts from 1 within the epoch. */
  readonly release: number;
}

const KEY_BYTES = 32;

/**
 * The weight in steps of the grid, with noise, within 1 … gridSteps. Any two weights differ by at most `gridSteps` steps, which is
 * the sensitivity that the noise is scaled for. Clamping looks at the noisy figure alone, so it reveals nothing more: at the
 * bottom it keeps a usable peer usable, at the top no peer counts for more than a full one.
 */
export function noisySteps(request: {
  readonly peer: PeerId;
  readonly weight: number;
  readonly terms: NoiseTerms;
  readonly occasion: NoiseOccasion;
  readonly noise: NoiseSource;
}): number {
  const { terms, noise, weight } = request;
  const steps = Math.round(normalised(weight, terms.fullWeight) * terms.gridSteps);
  const { numerator, denominator } = noiseScale(terms);
  const dice = new Dice(
    'random' in noise
      ? () => noise.random.bytes(KEY_BYTES)
      : keyedBytes(noise.key, contextOf(request, steps)),
  );
  const noisy = steps + discreteLaplace(numerator, denominator, dice);
  return Math.min(terms.gridSteps, Math.max(1, noisy));
}

export const normalised = (weight: number, fullWeight: number): number => Math.min(1, weight / fullWeight);

/** USAGE for a key that does not have 32 bytes. */
export function checkNoise(noise: NoiseSource): void {
  if ('random' in noise || noise.key.length === KEY_BYTES) return;
  throw new HoldfastError(
    'USAGE',
    `The noise key has ${noise.key.length} bytes; it must have ${KEY_BYTES}.`,
    {
      details: { field: 'key', value: noise.key.length },
    },
  );
}

/** NIST SP 800-108r1 §4.1: HMAC-SHA-256 in counter mode. */
function keyedBytes(key: Uint8Array, context: string): () => Uint8Array {
  const handle = createSecretKey(key);
  const counter = Buffer.alloc(4);
  return () => {
    counter.writeUInt32BE(counter.readUInt32BE() + 1);
    return createHmac('sha256', handle).update(counter).update(context, 'latin1').digest();
  };
}

/**
 * The true weight is part of it: should somebody draw for a changed weight under the number of an old release, the two would
 * not have the same noise, which their difference would cancel.
 */
function contextOf(
  { peer, terms, occasion }: { peer: PeerId; terms: NoiseTerms; occasion: NoiseOccasion },
  steps: number,
): string {
  const numbers = [occasion.epoch, occasion.release, microOf(terms.epsilon), terms.gridSteps, steps];
  return `holdfast/placement-noise/v1\0${numbers.join(' ')} ${peer}`;
}

import { argon2 } from 'node:crypto';
import { HoldfastError } from '@holdfast/contracts';

/** Cost of turning a passphrase into a key, by argon2id (RFC 9106). */
export interface Argon2Cost {
  readonly memoryKiB: number;
  readonly passes: number;
  readonly lanes: number;
}

/** The second recommended choice of RFC 9106 §4: 64 MiB, for machines that do other things too. */
export const DEFAULT_COST: Argon2Cost = { memoryKiB: 64 * 1024, passes: 3, lanes: 4 };

export const SALT_BYTES = 16;

/** A file names its own cost: a hostile one must not make us fill memory, or derive a key that is cheap to guess. */
const BOUNDS: Readonly<Record<keyof Argon2Cost, readonly [min: number, max: number]>> = {
  memoryKiB: [8 * 1024, 1024 * 1024],
  passes: [1, 16],
  lanes: [1, 16],
};

export function isReasonableCost(cost: Argon2Cost): boolean {
  return Object.entries(BOUNDS).every(([name, [min, max]]) => {
    const value = cost[name as keyof Argon2Cost];
    return Number.isInteger(value) && value >= min && value <= max;
  });
}

/**
 * 32 bytes. Off the main thread.
 *
 * @param passphrase taken in Unicode's NFKC form, so that it does not matter how a keyboard composes its letters.
 * @param salt {@link SALT_BYTES} random bytes.
 */
export function keyFromPassphrase(
  passphrase: string,
  salt: Uint8Array,
  cost: Argon2Cost,
): Promise<Uint8Array> {
  const parameters = {
    message: Buffer.from(passphrase.normalize('NFKC'), 'utf8'),
    nonce: salt,
    parallelism: cost.lanes,
    memory: cost.memoryKiB,
    passes: cost.passes,
    tagLength: 32,
  };
  const derived = new Promise<Uint8Array>((resolve, reject) => {
    argon2('argon2id', parameters, (error, key) => {
      if (error) {
        reject(
          new HoldfastError('INTERNAL', `The passphrase could not be turned into a key: ${error.message}`, {
            hint: `This needs ${Math.ceil(cost.memoryKiB / 1024)} MiB of free memory.`,
            cause: error,
          }),
        );
      } else resolve(key);
    });
  });
  return derived.finally(() => parameters.message.fill(0));
}

import { createRequire } from 'node:module';
import { blake3 as noble } from '@noble/hashes/blake3.js';

/** BLAKE3's three modes. A key has 32 bytes; a context is a constant string that names the use. */
export type Blake3Mode = { readonly key: Uint8Array } | { readonly context: string } | undefined;

/** Making one costs several times what hashing a page does: reset and use it again. */
export interface Hasher {
  /** Back to the start, in the same mode and under the same key. */
  reset(): void;
  update(bytes: Uint8Array): unknown;
  /** 32 bytes. Only `reset` may follow. */
  digest(): Uint8Array;
  /** Instead of `digest`: 64 lower-case digits. */
  hex(): string;
}

export interface Blake3Backend {
  readonly name: 'native' | 'portable';
  create(mode: Blake3Mode): Hasher;
}

interface NativeHasher {
  reset(): void;
  update(bytes: Uint8Array): unknown;
  digest(format: 'hex'): string;
  digestBuffer(): Uint8Array;
}

interface NativeModule {
  readonly Blake3Hasher: {
    new (): NativeHasher;
    newKeyed(key: Uint8Array): NativeHasher;
    newDeriveKey(context: string): NativeHasher;
  };
}

export const portable: Blake3Backend = {
  name: 'portable',
  create(mode) {
    const options =
      mode === undefined
        ? {}
        : 'key' in mode
          ? { key: mode.key }
          : { context: Buffer.from(mode.context, 'utf8') };
    const fresh = noble.create(options);
    let hasher = fresh.clone();
    return {
      reset: () => {
        hasher = fresh.clone();
      },
      update: (bytes) => hasher.update(bytes),
      digest: () => hasher.digest(),
      hex: () => Buffer.from(hasher.digest()).toString('hex'),
    };
  },
};

function nativeBackend({ Blake3Hasher }: NativeModule): Blake3Backend {
  return {
    name: 'native',
    create(mode) {
      const hasher =
        mode === undefined
          ? new Blake3Hasher()
          : 'key' in mode
            ? Blake3Hasher.newKeyed(mode.key)
            : Blake3Hasher.newDeriveKey(mode.context);
      return {
        reset: () => hasher.reset(),
        update: (bytes) => hasher.update(bytes),
        digest: () => hasher.digestBuffer(),
        hex: () => hasher.digest('hex'),
      };
    },
  };
}

/**
 * The native module where there is one for this platform and it computes what it should, else the portable one: same
 * bytes, a fraction of the speed.
 */
export function chooseBackend(load: () => unknown): Blake3Backend {
  try {
    const native = nativeBackend(load() as NativeModule);
    for (const mode of [undefined, { key: Buffer.alloc(32, 1) }, { context: 'probe' }]) {
      if (probe(native, mode) !== probe(portable, mode)) return portable;
    }
    return native;
  } catch {
    return portable;
  }
}

/** Every method that is used later, once. */
function probe(backend: Blake3Backend, mode: Blake3Mode): string {
  const hasher = backend.create(mode);
  hasher.update(Buffer.from('hold'));
  const first = Buffer.from(hasher.digest()).toString('hex');
  hasher.reset();
  hasher.update(Buffer.from('fast'));
  return first + hasher.hex();
}

export const backend: Blake3Backend = chooseBackend(() =>
  createRequire(import.meta.url)('@napi-rs/blake-hash'),
);

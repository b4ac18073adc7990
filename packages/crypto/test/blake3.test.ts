import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Blake3Mode, chooseBackend, portable } from '../src/blake3-backend.ts';
import { Blake3Stream, blake3, blake3Hex, blakeImplementation, keyedBlake3Hex } from '../src/index.ts';
import { fixture, hex } from './fixture.ts';
import { codeOf } from './stripe.ts';

const vectors = fixture<{
  key: string;
  context: string;
  cases: { length: number; hash: string; keyed: string; derived: string }[];
}>('blake3.json');

const input = (length: number) => Uint8Array.from({ length }, (_, i) => i % 251);
const native = chooseBackend(() => createRequire(import.meta.url)('@napi-rs/blake-hash'));

describe.each([native, portable])('$name BLAKE3', (backend) => {
  const hash = (mode: Blake3Mode, bytes: Uint8Array) => {
    const hasher = backend.create(mode);
    hasher.update(bytes);
    return hasher.hex();
  };

  it.each(vectors.cases)('official vector of $length bytes', ({ length, hash: plain, keyed, derived }) => {
    expect(hash(undefined, input(length))).toBe(plain);
    expect(hash({ key: Buffer.from(vectors.key) }, input(length))).toBe(keyed);
    expect(hash({ context: vectors.context }, input(length))).toBe(derived);
  });
});

describe('BLAKE3', () => {
  it('agrees between both implementations, in any pieces and in shared memory', () => {
    expect(native.name).toBe('native');
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 5 }),
        fc.boolean(),
        (parts, keyed) => {
          const mode = keyed ? { key: Buffer.alloc(32, 3) } : undefined;
          const [a, b] = [native.create(mode), portable.create(mode)];
          for (const part of parts) {
            const shared = new Uint8Array(new SharedArrayBuffer(part.length + 1), 1);
            shared.set(part);
            a.update(shared);
            b.update(shared);
          }
          expect(Buffer.from(a.digest()).toString('hex')).toBe(Buffer.from(b.digest()).toString('hex'));
        },
      ),
    );
  });

  it('hashes a list as its concatenation, and a stream likewise', () => {
    const [a, b] = [input(700), input(5000)];
    const whole = blake3Hex(Buffer.concat([a, b]));
    expect(blake3Hex([a, b])).toBe(whole);
    expect(Buffer.from(blake3([a, b])).toString('hex')).toBe(whole);
    expect(Buffer.from(new Blake3Stream().update(a).update(b).digest()).toString('hex')).toBe(whole);
    expect(keyedBlake3Hex(Buffer.from(vectors.key), [input(3)])).toBe(
      vectors.cases.find(({ length }) => length === 3)!.keyed,
    );
  });

  it('remembers a key array, but never beyond a change of its bytes', () => {
    const key = Buffer.from(vectors.key);
    for (const { length, keyed } of vectors.cases) expect(keyedBlake3Hex(key, input(length))).toBe(keyed);
    const before = keyedBlake3Hex(key, input(5));
    key.fill(0);
    expect(keyedBlake3Hex(key, input(5))).toBe(keyedBlake3Hex(Buffer.alloc(32), input(5)));
    key.write(vectors.key);
    expect(keyedBlake3Hex(key, input(5))).toBe(before);
  });

  it.each([native, portable])('$name: a hasher starts anew after reset', (backend) => {
    const hasher = backend.create({ key: Buffer.alloc(32, 5) });
    hasher.update(input(5000));
    const first = Buffer.from(hasher.digest()).toString('hex');
    hasher.reset();
    hasher.update(input(7));
    hasher.reset();
    hasher.update(input(5000));
    expect(hasher.hex()).toBe(first);
  });

  it('uses the portable one where the native module is missing or computes something else', () => {
    const missing = () => {
      throw new Error('no prebuilt binary for this platform');
    };
    expect(chooseBackend(missing).name).toBe('portable');
    const wrong = {
      reset: () => undefined,
      update: () => undefined,
      digest: () => '00'.repeat(32),
      digestBuffer: () => Buffer.alloc(32),
    };
    const Blake3Hasher = Object.assign(
      class {
        reset = wrong.reset;
        update = wrong.update;
        digest = wrong.digest;
        digestBuffer = wrong.digestBuffer;
      },
      { newKeyed: () => wrong, newDeriveKey: () => wrong },
    );
    expect(chooseBackend(() => ({ Blake3Hasher })).name).toBe('portable');
    expect(blakeImplementation()).toBe(native.name);
  });

  it('refuses a key that the native module would die from', () => {
    for (const length of [0, 31, 33]) {
      expect(codeOf(() => keyedBlake3Hex(new Uint8Array(length), hex('00'))).code).toBe('INTERNAL');
    }
  });

  it('does not go on after its digest', () => {
    const stream = new Blake3Stream();
    stream.digest();
    expect(codeOf(() => stream.update(hex('00'))).code).toBe('INTERNAL');
    expect(codeOf(() => stream.digest()).code).toBe('INTERNAL');
  });
});

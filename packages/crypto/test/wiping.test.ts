import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toHex } from '@holdfast/contracts';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { hkdfExpand } from '../src/hkdf.ts';
import {
  HybridSigner,
  HybridUnwrapper,
  HybridWrapper,
  keyFileFingerprint,
  keyFileNeedsPassphrase,
  readKeyFile,
  VaultKeys,
  writeKeyFile,
} from '../src/index.ts';
import { encodeKeyFile } from '../src/keyfile-format.ts';
import { keyFromPassphrase } from '../src/passphrase.ts';
import { XWingPrivateKey } from '../src/x-wing.ts';
import { fill } from './stripe.ts';

/** What arrays held, in hex, when they were overwritten during the call, whether it failed or not. */
async function wipedBy(call: () => unknown): Promise<string[]> {
  const wiped: string[] = [];
  const spies = [Uint8Array.prototype, Buffer.prototype].map((prototype) => {
    const original = prototype.fill;
    return vi.spyOn(prototype, 'fill').mockImplementation(function (this: Uint8Array, ...values: [number]) {
      if (this.length > 0) wiped.push(toHex(this));
      return original.apply(this, values);
    } as typeof original);
  });
  try {
    await call();
  } catch {
    // What is left behind is the question.
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  return wiped;
}

const ROOT = fill(32, 11);

describe('seeds of key pairs are overwritten', () => {
  const makers = [vi.spyOn(HybridSigner, 'fromSeeds'), vi.spyOn(HybridUnwrapper, 'fromSeed')] as const;
  afterEach(() => makers.forEach((maker) => void maker.mockReset()));
  afterAll(() => makers.forEach((maker) => void maker.mockRestore()));

  const seeds = () => [...makers[0].mock.calls.flat(), ...makers[1].mock.calls.flat()];

  it('once there are keys', async () => {
    const keys = VaultKeys.fromRoot(ROOT);
    keys.signer();
    const expanded = await wipedBy(() => keys.unwrapper());
    expect(expanded.some(({ length }) => length === 2 * 96)).toBe(true);
    expect(seeds()).toEqual([new Uint8Array(32), new Uint8Array(32), new Uint8Array(32)]);
  });

  it('when making keys of them fails', () => {
    const keys = VaultKeys.fromRoot(ROOT);
    for (const maker of makers) {
      maker.mockImplementation(() => {
        throw new Error('out of memory');
      });
    }
    expect(() => keys.signer()).toThrow('out of memory');
    expect(() => keys.unwrapper()).toThrow('out of memory');
    expect(seeds()).toEqual([new Uint8Array(32), new Uint8Array(32), new Uint8Array(32)]);
  });
});

describe('what a secret was wrapped with is overwritten', () => {
  const unwrapper = HybridUnwrapper.fromSeed(ROOT);
  const context = { domain: 'holdfast/test/v1' };
  const sharedBy = (wrapped: Uint8Array) =>
    toHex(XWingPrivateKey.fromSeed(ROOT).decapsulate(wrapped.subarray(0, 1120)));

  it('after wrapping', async () => {
    let wrapped: Uint8Array = new Uint8Array(0);
    const wiped = await wipedBy(() => {
      wrapped = HybridWrapper.fromPublicKey(unwrapper.publicKey).wrap(context, fill(32));
    });
    expect(wiped).toContain(sharedBy(wrapped));
    // Both halves, what they make, what that makes, key and nonce, and HKDF's blocks of these two.
    const keys = wiped.filter(({ length }) => length === 2 * 32);
    expect([keys.length, new Set(keys).size]).toEqual([7, 6]);
    expect(wiped.filter(({ length }) => length === 2 * 12)).toHaveLength(1);
  });

  it('after unwrapping, and what was decrypted when it is not authentic', async () => {
    const secret = fill(40);
    const wrapped = HybridWrapper.fromPublicKey(unwrapper.publicKey).wrap(context, secret);
    expect(await wipedBy(() => unwrapper.unwrap(context, wrapped))).toContain(sharedBy(wrapped));
    wrapped[wrapped.length - 1]! ^= 1;
    const wiped = await wipedBy(() => unwrapper.unwrap(context, wrapped));
    expect(wiped).toEqual(expect.arrayContaining([sharedBy(wrapped), toHex(secret)]));
  });
});

describe('a root read from a key file is overwritten', () => {
  let directory: string;
  let path: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'holdfast-wiping-'));
    path = join(directory, 'vault.key');
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('when nobody asked for it', async () => {
    await writeKeyFile(path, ROOT);
    expect(await wipedBy(() => keyFileFingerprint(path))).toContain(toHex(ROOT));
    expect(await wipedBy(() => keyFileNeedsPassphrase(path))).toContain(toHex(ROOT));
  });

  it('when the file is refused', async () => {
    const content = { fingerprint: '0000-0000-0000-0000', protection: null, secret: ROOT };
    await writeFile(path, encodeKeyFile(content));
    expect(await wipedBy(() => readKeyFile(path))).toContain(toHex(ROOT));
    await writeFile(path, encodeKeyFile(content).replace(/"check": "[^"]*"/, '"check": "00"'));
    expect(await wipedBy(() => readKeyFile(path))).toContain(toHex(ROOT));
  });
});

describe('other intermediate secrets are overwritten', () => {
  it('each block of longer HKDF output', async () => {
    let output = new Uint8Array(0);
    const wiped = await wipedBy(() => {
      output = Uint8Array.from(hkdfExpand(ROOT, fill(5), 96));
    });
    for (const at of [0, 32, 64]) expect(wiped).toContain(toHex(output.subarray(at, at + 32)));
  });

  it('the passphrase’s bytes, even when argon2 refuses to start', async () => {
    const phrase = toHex(Buffer.from('correct horse'));
    const cost = { memoryKiB: 8192, passes: 1, lanes: 1 };
    const derive = (passes: number) => () =>
      keyFromPassphrase('correct horse', new Uint8Array(16), { ...cost, passes });
    expect(await wipedBy(derive(1))).toContain(phrase);
    expect(await wipedBy(derive(-1))).toContain(phrase);
  });
});

import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import { HoldfastError, MAX_HEAD_BYTES, type PeerId, peerIdFromKey } from '@holdfast/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  capProblems,
  decodeHead,
  decodeManifest,
  decodePublicHead,
  encodeHead,
  encodeManifest,
  type Head,
  MAX_MANIFEST_PROBLEMS,
  type Manifest,
} from '../src/index.ts';
import { text } from './arbitraries.ts';
import { head, manifest, stripe } from './format-arbitraries.ts';
import { checkHostileInput } from './hostile.ts';

/** Stand-ins for the real keys, deterministic so that bytes can be compared. */
const mac = (domain: string, bytes: Uint8Array): Buffer =>
  createHmac('sha256', domain).update(bytes).digest();
const verify = (domain: string, bytes: Uint8Array, signature: Uint8Array): boolean =>
  mac(domain, bytes).equals(signature);
const trusting = () => true;

function seal(content: Uint8Array, associated: Uint8Array): Uint8Array {
  const cipher = createCipheriv('aes-256-gcm', Buffer.alloc(32, 1), Buffer.alloc(12)).setAAD(associated);
  return Buffer.concat([cipher.update(content), cipher.final(), cipher.getAuthTag()]);
}

function open(sealed: Uint8Array, associated: Uint8Array): Uint8Array {
  try {
    const decipher = createDecipheriv('aes-256-gcm', Buffer.alloc(32, 1), Buffer.alloc(12)).setAAD(
      associated,
    );
    decipher.setAuthTag(sealed.subarray(-16));
    return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
  } catch (cause) {
    throw new HoldfastError('SEAL_BROKEN', 'broken', { cause });
  }
}

/** Neither authenticates anything, so that hostile bytes get through to what they protect. */
const openly = { seal: (content: Uint8Array) => content, open: (sealed: Uint8Array) => sealed };
const signature = Uint8Array.of(7);

describe('the manifest', () => {
  it('gives back what was written', () => {
    fc.assert(
      fc.property(manifest, (value) => {
        expect(decodeManifest(encodeManifest(value, mac), verify)).toEqual(value);
      }),
    );
  });

  it('refuses every change before it looks at the content', () => {
    const [value] = fc.sample(manifest, { numRuns: 1, seed: 3 });
    const bytes = encodeManifest(value!, mac);
    for (let i = 0; i < bytes.length; i++) {
      const changed = Uint8Array.from(bytes);
      changed[i]! ^= 1;
      const codes =
        i < 12 ? ['FORMAT_INVALID', 'FORMAT_VERSION', 'SIGNATURE_INVALID'] : ['SIGNATURE_INVALID'];
      const error = failure(() => decodeManifest(changed, verify));
      expect(codes).toContain(error.code);
    }
  });

  it('refuses hostile bytes even under a good signature', () => {
    checkHostileInput(
      manifest.map((value) => encodeManifest(value, () => signature)),
      (bytes) => ({ value: decodeManifest(bytes, trusting), signature: signatureOf(bytes) }),
      ({ value, signature: original }) => encodeManifest(value, () => original),
      1000,
    );
  });

  it('does not take a head for a manifest', () => {
    const [value] = fc.sample(head, { numRuns: 1, seed: 3 });
    const bytes = encodeHead(value!, { sign: mac, seal });
    expect(failure(() => decodeManifest(bytes, trusting)).code).toBe('FORMAT_INVALID');
  });

  it('names a version that it does not know', () => {
    const [value] = fc.sample(manifest, { numRuns: 1, seed: 3 });
    const bytes = encodeManifest(value!, mac);
    bytes[4] = 9;
    const error = failure(() => decodeManifest(bytes, trusting));
    expect(error.code).toBe('FORMAT_VERSION');
    expect(error.message).toContain('version 9');
  });

  it.each<[string, (good: Manifest) => Manifest]>([
    ['half a pointer back', (good) => ({ ...good, previous: null, previousSequence: 1 })],
    ['a predecessor that is not older', (good) => ({ ...good, previousSequence: good.sequence })],
    [
      'fewer problems counted than listed',
      (good) => ({ ...good, problems: [{ path: Buffer.of(1), message: '' }], problemCount: 0 }),
    ],
    [
      'an unlisted metadata partition',
      (good) => ({ ...good, metadata: { ...good.metadata, partitions: [] } }),
    ],
    ['an unknown field', (good) => ({ ...good, extra: 1 }) as Manifest],
    [
      'too many problems',
      (good) => ({
        ...good,
        problems: Array.from({ length: 1001 }, () => ({ path: Buffer.of(1), message: '' })),
        problemCount: 1001,
      }),
    ],
  ])('is not written with %s', (_name, spoil) => {
    const [good] = fc.sample(
      manifest.filter(({ previous, metadata }) => previous !== null && metadata.objects.length > 0),
      { numRuns: 1, seed: 5 },
    );
    expect(failure(() => encodeManifest(spoil(good!), mac)).code).toBe('FORMAT_INVALID');
  });

  it('has room for the first problems and counts the rest', () => {
    fc.assert(
      fc.property(text(), fc.nat({ max: 2000 }), manifest, (message, count, value) => {
        const problems = Array.from({ length: count }, () => ({
          path: Buffer.of(1),
          message: message.repeat(200),
        }));
        const capped = capProblems(problems);
        expect(capped.problemCount).toBe(count);
        expect(capped.problems.length).toBe(Math.min(count, MAX_MANIFEST_PROBLEMS));
        encodeManifest({ ...value, ...capped }, mac);
      }),
      { numRuns: 20 },
    );
  });
});

describe('the head', () => {
  it('gives back what was written', () => {
    fc.assert(
      fc.property(head, (value) => {
        const bytes = encodeHead(value, { sign: mac, seal });
        expect(decodeHead(bytes, { verify, open })).toEqual(value);
        const { owner, sequence, writtenAt } = value;
        expect(decodePublicHead(bytes, verify)).toEqual({ owner, sequence, writtenAt });
      }),
    );
  });

  it('refuses every change', () => {
    const [value] = fc.sample(head, { numRuns: 1, seed: 3 });
    const bytes = encodeHead(value!, { sign: mac, seal });
    for (let i = 0; i < bytes.length; i += 7) {
      const changed = Uint8Array.from(bytes);
      changed[i]! ^= 0x10;
      expect(failure(() => decodeHead(changed, { verify, open })).code).toMatch(/FORMAT|SIGNATURE_INVALID/);
    }
  });

  it('ties the private part to the owner and the sequence', () => {
    const [value] = fc.sample(head, { numRuns: 1, seed: 3 });
    const other: PeerId = peerIdFromKey(Buffer.alloc(32, 9));
    for (const lie of [
      { owner: other },
      { sequence: 12_345 },
      { writtenAt: 12_345 },
    ] satisfies Partial<Head>[]) {
      const stolen = (content: Uint8Array) => seal(content, Buffer.from('what belonged to the first head'));
      const bytes = encodeHead({ ...value!, ...lie }, { sign: mac, seal: stolen });
      expect(failure(() => decodeHead(bytes, { verify, open })).code).toBe('SEAL_BROKEN');
    }
  });

  it('refuses hostile bytes even when nothing is authenticated', () => {
    checkHostileInput(
      head.map((value) => encodeHead(value, { sign: () => signature, seal: openly.seal })),
      (bytes) => ({
        value: decodeHead(bytes, { verify: trusting, open: openly.open }),
        signature: signatureOf(bytes),
      }),
      ({ value, signature: original }) => encodeHead(value, { sign: () => original, seal: openly.seal }),
      1000,
    );
  });

  it('refuses a private part that is padded otherwise', () => {
    const [value] = fc.sample(head, { numRuns: 1, seed: 3 });
    const read = (spoil: (content: Uint8Array) => Uint8Array) => {
      const bytes = encodeHead(value!, { sign: () => signature, seal: spoil });
      return decodeHead(bytes, { verify: trusting, open: openly.open });
    };
    expect(read((content) => content)).toEqual(value);
    const spoils: ((content: Uint8Array) => Uint8Array)[] = [
      (content) => content.with(-1, 1),
      (content) => content.subarray(1),
      (content) => content.with(0, 0xff),
      (content) => Buffer.concat([content, new Uint8Array(4096)]),
      (content) => content.subarray(0, 2),
    ];
    for (const spoil of spoils) expect(failure(() => read(spoil)).code).toBe('FORMAT_INVALID');
  });

  it('has the same length for codes of any usual width', () => {
    const [value] = fc.sample(head, { numRuns: 1, seed: 3 });
    const [one] = fc.sample(stripe, { numRuns: 1, seed: 3 });
    const length = (n: number) => {
      const shards = Array.from({ length: n }, () => one!.shards[0]!);
      const manifestStripe = { ...one!, k: 2, m: n - 2, size: 10, dependencies: [], shards };
      return encodeHead({ ...value!, manifest: manifestStripe }, { sign: mac, seal }).length;
    };
    expect(new Set([3, 6, 14, 24, 50].map(length)).size).toBe(1);
    expect(length(255)).toBeLessThan(MAX_HEAD_BYTES);
  });

  it('of more than its limit is refused unread', () => {
    let asked = false;
    const verifyOnce = () => {
      asked = true;
      return true;
    };
    const bytes = new Uint8Array(MAX_HEAD_BYTES + 1);
    expect(failure(() => decodeHead(bytes, { verify: verifyOnce, open })).code).toBe('FORMAT_INVALID');
    expect(asked).toBe(false);
  });
});

function failure(run: () => unknown): HoldfastError {
  try {
    run();
  } catch (error) {
    if (error instanceof HoldfastError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

/** Whatever the mutation left of it: no part of what is decoded. */
function signatureOf(bytes: Uint8Array): Uint8Array {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).readUInt32BE(8);
  return bytes.subarray(12 + body);
}

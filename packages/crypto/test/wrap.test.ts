import { inspect } from 'node:util';
import { toHex } from '@holdfast/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HybridUnwrapper, HybridWrapper, VaultKeys, WRAP_OVERHEAD } from '../src/index.ts';
import { fixture, hex } from './fixture.ts';
import { LOW_ORDER_POINTS } from './low-order.ts';
import { codeOf, fill, KEYS } from './stripe.ts';

const domain = 'holdfast/test/v1';
const associated = Buffer.from('what stands beside it');
const secret = fill(32, 7);
const wrapper = KEYS.wrapper();
const unwrapper = KEYS.unwrapper();
const wrapped = wrapper.wrap({ domain, associated }, secret);

const refused = (record: Uint8Array, context = { domain, associated }, by = unwrapper) =>
  codeOf(() => by.unwrap(context, record));

describe('a wrapped secret', () => {
  it('comes back whole, whatever it is, and is never the same twice', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 5000 }),
        fc.uint8Array(),
        fc.string({ minLength: 1, maxLength: 255 }),
        (inside, beside, kind) => {
          const context = { domain: kind, associated: beside };
          const record = wrapper.wrap(context, inside);
          expect(record.length).toBe(inside.length + WRAP_OVERHEAD);
          expect(toHex(unwrapper.unwrap(context, record))).toBe(toHex(inside));
        },
      ),
    );
    expect(WRAP_OVERHEAD).toBe(1088 + 32 + 16);
    expect(toHex(unwrapper.unwrap({ domain }, wrapper.wrap({ domain }, secret)))).toBe(toHex(secret));
    expect(toHex(wrapper.wrap({ domain, associated }, secret))).not.toBe(toHex(wrapped));
  });

  it('opens for one recipient, domain and associated data only', () => {
    const others = [
      refused(wrapped, { domain, associated }, VaultKeys.fromRoot(Buffer.alloc(32, 9)).unwrapper()),
      refused(wrapped, { domain: 'holdfast/test/v2', associated }),
      refused(wrapped, { domain, associated: Buffer.alloc(0) }),
    ];
    for (const error of others) expect(error.code).toBe('SEAL_BROKEN');
    fc.assert(
      fc.property(fc.nat(associated.length * 8 - 1), fc.nat(domain.length * 7 - 1), (a, d) => {
        const beside = Uint8Array.from(associated);
        beside[a >> 3]! ^= 1 << (a & 7);
        expect(refused(wrapped, { domain, associated: Buffer.from(beside) }).code).toBe('SEAL_BROKEN');
        const kind = Buffer.from(domain);
        kind[Math.floor(d / 7)]! ^= 1 << (d % 7);
        expect(refused(wrapped, { domain: kind.toString('latin1'), associated }).code).toBe('SEAL_BROKEN');
      }),
    );
    // Bytes moved from the domain to what stands beside it must not give the same record.
    const moved = wrapper.wrap({ domain: 'ab', associated: Buffer.from('c') }, secret);
    expect(refused(moved, { domain: 'a', associated: Buffer.from('bc') }).code).toBe('SEAL_BROKEN');
    for (const odd of ['', 'x'.repeat(256)]) {
      expect(codeOf(() => wrapper.wrap({ domain: odd }, secret)).code).toBe('INTERNAL');
      expect(refused(wrapped, { domain: odd, associated }).code).toBe('INTERNAL');
    }
  });

  it('does not open with any bit changed, nor with another length', () => {
    fc.assert(
      fc.property(fc.nat(wrapped.length * 8 - 1), (bit) => {
        const broken = Uint8Array.from(wrapped);
        broken[bit >> 3]! ^= 1 << (bit & 7);
        expect(refused(broken).code).toBe('SEAL_BROKEN');
      }),
      { numRuns: 500 },
    );
    const lengths = [0, 1, 32, 1088, 1120, WRAP_OVERHEAD - 1, WRAP_OVERHEAD, wrapped.length - 1];
    for (const length of lengths) expect(refused(wrapped.subarray(0, length)).code).toBe('SEAL_BROKEN');
    expect(refused(Buffer.concat([wrapped, Buffer.alloc(1)])).code).toBe('SEAL_BROKEN');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2500 }), (bytes) => refused(bytes).code === 'SEAL_BROKEN'),
    );
  });

  it('needs both halves of the key agreement', () => {
    const other = wrapper.wrap({ domain, associated }, secret);
    const classicalOnly = Buffer.concat([
      other.subarray(0, 1088),
      wrapped.subarray(1088, 1120),
      wrapped.subarray(1120),
    ]);
    const postQuantumOnly = Buffer.concat([
      wrapped.subarray(0, 1088),
      other.subarray(1088, 1120),
      wrapped.subarray(1120),
    ]);
    expect(refused(classicalOnly).code).toBe('SEAL_BROKEN');
    expect(refused(postQuantumOnly).code).toBe('SEAL_BROKEN');
  });

  it('needs both halves of the recipient’s key', () => {
    // Made for keys of which one half only is the recipient's: as if the other had been exchanged on the way.
    const stranger = HybridUnwrapper.fromSeed(fill(32, 3)).publicKey;
    const { publicKey } = unwrapper;
    for (const mixed of [
      Buffer.concat([stranger.subarray(0, 1184), publicKey.subarray(1184)]),
      Buffer.concat([publicKey.subarray(0, 1184), stranger.subarray(1184)]),
    ]) {
      const record = HybridWrapper.fromPublicKey(mixed).wrap({ domain, associated }, secret);
      expect(refused(record).code).toBe('SEAL_BROKEN');
    }
  });

  it.each(LOW_ORDER_POINTS)('does not open with a point of low order for its X25519 half: %s', (point) => {
    const record = Uint8Array.from(wrapped);
    record.set(hex(point), 1088);
    expect(refused(record).code).toBe('SEAL_BROKEN');
  });

  it('says the same whatever is wrong', () => {
    const [early, late] = [Uint8Array.from(wrapped), Uint8Array.from(wrapped)];
    early[0]! ^= 1;
    late[wrapped.length - 1]! ^= 1;
    const lowOrder = Uint8Array.from(wrapped).fill(0, 1088, 1120);
    const errors = [early, late, lowOrder, wrapped.subarray(1), Buffer.alloc(3)].map((record) =>
      refused(record),
    );
    const said = errors.map(({ code, message, hint, cause, details }) =>
      inspect({ code, message, hint, cause, details }),
    );
    expect(new Set(said).size).toBe(1);
  });
});

describe('the keys that secrets are wrapped for', () => {
  it('are the root’s alone', () => {
    const again = VaultKeys.fromRoot(Uint8Array.from({ length: 32 }, (_, i) => i));
    expect(toHex(again.unwrapper().publicKey)).toBe(toHex(unwrapper.publicKey));
    expect(toHex(again.unwrapper().unwrap({ domain, associated }, wrapped))).toBe(toHex(secret));
  });

  it('wrap from the public key alone', () => {
    const record = HybridWrapper.fromPublicKey(unwrapper.publicKey).wrap({ domain }, secret);
    expect(toHex(unwrapper.unwrap({ domain }, record))).toBe(toHex(secret));
  });

  it('are refused when malformed', () => {
    for (const length of [0, 32, 1215, 1217]) {
      expect(codeOf(() => HybridWrapper.fromPublicKey(new Uint8Array(length))).code).toBe('FORMAT_INVALID');
    }
    expect(codeOf(() => HybridWrapper.fromPublicKey(Buffer.alloc(1216, 0xff))).code).toBe('FORMAT_INVALID');
    expect(codeOf(() => HybridUnwrapper.fromSeed(new Uint8Array(31))).code).toBe('KEY_WRONG');
  });

  it('do not show in dumps or JSON', () => {
    const options = { showHidden: true, depth: 9, getters: true };
    expect(inspect(unwrapper, options)).toBe('HybridUnwrapper [secret]');
    expect(JSON.stringify({ unwrapper })).toBe('{"unwrapper":"[secret]"}');
  });
});

/** Records once written must stay readable: a change here is a new format version, never a new fixture. */
describe('a record wrapped long ago', () => {
  const frozen = fixture<{
    publicKey: string;
    domain: string;
    associated: string;
    secret: string;
    wrapped: string;
  }>('frozen-wrapped.json');

  it('opens with the key that it was made for', () => {
    expect(Buffer.from(unwrapper.publicKey).toString('base64')).toBe(frozen.publicKey);
    const context = { domain: frozen.domain, associated: hex(frozen.associated) };
    expect(toHex(unwrapper.unwrap(context, Buffer.from(frozen.wrapped, 'base64')))).toBe(frozen.secret);
  });
});

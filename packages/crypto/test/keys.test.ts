import { hkdfSync } from 'node:crypto';
import { inspect } from 'node:util';
import { isShardId, type PartitionId, toHex } from '@holdfast/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DOMAINS, tagged } from '../src/domains.ts';
import { SealingKeys, systemRandom, VaultKeys, wipe } from '../src/index.ts';
import { fixture } from './fixture.ts';
import { codeOf, KEYS, PARTITION } from './stripe.ts';

const ROOT = Uint8Array.from({ length: 32 }, (_, i) => i);

describe('the key hierarchy', () => {
  it('derives the keys that it always derived', () => {
    const partition = KEYS.partition(7, PARTITION);
    expect({
      fingerprint: KEYS.fingerprint,
      chunkIdKey: toHex(KEYS.chunkIdKey()),
      chunkerKey: toHex(KEYS.chunkerKey()),
      headKey: toHex(KEYS.headKey()),
      shardKeys: partition.shardKeys(2).map(toHex),
      shardIds: [0, 254].map((index) => KEYS.shardId(7, PARTITION, index)),
      publicKeyStart: toHex(KEYS.signer().publicKey.subarray(0, 48)),
    }).toEqual(fixture<{ keys: unknown }>('frozen-keys.json').keys);
  });

  it('is plain HKDF-SHA256 from level to level', () => {
    const salt = Buffer.from('holdfast/root/v1');
    const head = hkdfSync('sha256', ROOT, salt, Buffer.from('holdfast/head/v1\0'), 32);
    expect(toHex(KEYS.headKey())).toBe(Buffer.from(head).toString('hex'));
  });

  it('gives every use, epoch, partition and index a key of its own', () => {
    const other = '6f2b1c9e-3d5a-4c77-9b10-2f8e5d4c3b2b' as PartitionId;
    const values = [
      KEYS.chunkIdKey(),
      KEYS.chunkerKey(),
      KEYS.headKey(),
      KEYS.exportSealing().subarray(1),
    ].map(toHex);
    for (const epoch of [0, 1, 256, 0xffff_ffff]) {
      for (const id of [PARTITION, other]) {
        values.push(...KEYS.partition(epoch, id).shardKeys(255).map(toHex));
        values.push(...Array.from({ length: 255 }, (_, i) => KEYS.shardId(epoch, id, i)));
      }
    }
    expect(new Set(values).size).toBe(values.length);
    expect(values.every((value) => isShardId(value))).toBe(true);
  });

  it('has one name per use, and no name that runs into another', () => {
    const names = Object.values(DOMAINS);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^holdfast\/[a-z0-9-]+\/v[0-9]+$/);
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        fc.constantFrom(...names),
        fc.uint8Array(),
        fc.uint8Array(),
        (a, b, x, y) => {
          const same = toHex(tagged(a, x)) === toHex(tagged(b, y));
          expect(same).toBe(a === b && toHex(x) === toHex(y));
        },
      ),
    );
  });

  it('gives a worker what it needs for shards, byte for byte the same', () => {
    const bytes = KEYS.exportSealing();
    const moved = structuredClone(bytes, { transfer: [bytes.buffer] });
    expect(bytes.length).toBe(0);
    const worker = SealingKeys.fromExport(moved);
    wipe(moved);
    expect(worker.shardId(3, PARTITION, 1)).toBe(KEYS.shardId(3, PARTITION, 1));
    expect(toHex(worker.partition(3, PARTITION).shardKey(1))).toBe(
      toHex(KEYS.partition(3, PARTITION).shardKey(1)),
    );
  });

  it('stays right beyond the epochs that it remembers', () => {
    const keys = VaultKeys.fromRoot(ROOT);
    const first = keys.shardId(0, PARTITION, 0);
    for (let epoch = 1; epoch < 200; epoch++) keys.shardId(epoch, PARTITION, 0);
    expect(keys.shardId(0, PARTITION, 0)).toBe(first);
  });
});

describe('bad input to the hierarchy', () => {
  it.each([0, 16, 31, 33, 64])('KEY_WRONG for a root of %i bytes', (length) => {
    const error = codeOf(() => VaultKeys.fromRoot(new Uint8Array(length)));
    expect(error.code).toBe('KEY_WRONG');
    expect(error.hint).toBeDefined();
  });

  it('refuses indices, epochs and ids that would alias others', () => {
    for (const index of [-1, 255, 0.5, Number.NaN, 65536]) {
      expect(codeOf(() => KEYS.shardId(0, PARTITION, index)).code).toBe('CODE_PARAMETERS');
    }
    for (const epoch of [-1, 2 ** 32, 0.5, Number.NaN]) {
      expect(codeOf(() => KEYS.partition(epoch, PARTITION)).code).toBe('FORMAT_INVALID');
    }
    for (const id of ['', 'x', PARTITION.toUpperCase(), `${PARTITION}00`]) {
      expect(codeOf(() => KEYS.partition(0, id as PartitionId)).code).toBe('FORMAT_INVALID');
    }
  });

  it('refuses what is no export', () => {
    const bytes = KEYS.exportSealing();
    expect(codeOf(() => SealingKeys.fromExport(bytes.subarray(0, 32))).code).toBe('KEY_WRONG');
    expect(codeOf(() => SealingKeys.fromExport(bytes.with(0, 9))).code).toBe('KEY_WRONG');
  });

  it('will not make a root from a generator that is stuck', () => {
    expect(VaultKeys.generateRoot(systemRandom.bytes)).toHaveLength(32);
    expect(codeOf(() => VaultKeys.generateRoot((length) => new Uint8Array(length))).code).toBe('INTERNAL');
    expect(codeOf(() => VaultKeys.generateRoot(() => systemRandom.bytes(16))).code).toBe('INTERNAL');
  });
});

describe('secrets', () => {
  it('do not show in logs, dumps or JSON', () => {
    const keys = VaultKeys.fromRoot(ROOT);
    const secrets = [
      ROOT,
      keys.headKey(),
      keys.chunkIdKey(),
      keys.exportSealing().subarray(1),
      keys.partition(0, PARTITION).shardKey(0),
    ].flatMap((secret) => [
      toHex(secret),
      Buffer.from(secret).toString('base64'),
      [...secret].join(', '),
      [...secret].join(','),
    ]);
    const sealing = SealingKeys.fromExport(keys.exportSealing());
    for (const object of [keys, keys.signer(), keys.unwrapper(), keys.partition(0, PARTITION), sealing]) {
      for (const options of [{}, { showHidden: true, depth: 9, getters: true }]) {
        const shown = `${inspect(object, options)} ${inspect({ object }, options)} ${JSON.stringify({ object })} ${String(object)}`;
        for (const secret of secrets) expect(shown).not.toContain(secret);
      }
    }
    expect(inspect(keys)).toContain(keys.fingerprint);
  });

  it('are gone after destroy', () => {
    const keys = VaultKeys.fromRoot(ROOT);
    const partition = keys.partition(0, PARTITION);
    const sealing = SealingKeys.fromExport(keys.exportSealing());
    // What was handed out before is the holder's; what the vault kept of it must be gone too.
    keys.signer();
    keys.unwrapper();
    keys.destroy();
    partition.destroy();
    sealing.destroy();
    const calls = [
      () => keys.headKey(),
      () => keys.signer(),
      () => keys.unwrapper(),
      () => keys.wrapper(),
      () => keys.shardId(0, PARTITION, 0),
      () => keys.exportSealing(),
      () => partition.shardKey(0),
      () => sealing.partition(0, PARTITION),
    ];
    for (const call of calls) expect(codeOf(call).code).toBe('INTERNAL');
    keys.destroy();
  });

  it('are disposed of at the end of a block', () => {
    let outer: VaultKeys;
    {
      using keys = VaultKeys.fromRoot(ROOT);
      outer = keys;
    }
    expect(codeOf(() => outer.headKey()).code).toBe('INTERNAL');
  });

  it('are the caller’s own copies', () => {
    const keys = VaultKeys.fromRoot(ROOT);
    const before = toHex(keys.headKey());
    wipe(keys.headKey(), keys.partition(0, PARTITION).shardKey(0), keys.exportSealing());
    expect(toHex(keys.headKey())).toBe(before);
    const root = Uint8Array.from(ROOT);
    const other = VaultKeys.fromRoot(root);
    wipe(root);
    expect(toHex(other.headKey())).toBe(before);
  });
});

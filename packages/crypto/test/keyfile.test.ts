import { mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { HoldfastError, toHex } from '@holdfast/contracts';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  keyFileFingerprint,
  keyFileNeedsPassphrase,
  readKeyFile,
  systemRandom,
  VaultKeys,
  writeKeyFile,
} from '../src/index.ts';
import { decodeKeyFile, encodeKeyFile } from '../src/keyfile-format.ts';
import { codeOf } from './stripe.ts';

const CHEAP = { memoryKiB: 8192, passes: 1, lanes: 1 };
const root = systemRandom.bytes(32);
const fingerprint = VaultKeys.fromRoot(root).fingerprint;

let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-key-'));
  path = join(directory, 'vault.key');
});
afterEach(() => rm(directory, { recursive: true }));

async function failure(promise: Promise<unknown>): Promise<HoldfastError> {
  const error = await promise.then(
    () => new Error('The call did not fail.'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof HoldfastError)) throw error;
  return error;
}

async function edit(change: (fields: Record<string, unknown>) => void): Promise<void> {
  const fields = JSON.parse(await readFile(path, 'utf8'));
  change(fields);
  await writeFile(path, JSON.stringify(fields));
}

describe('a key file', () => {
  it.each([undefined, 'correct horse battery staple', 'Übergröße 🔑'])(
    'gives its root back (passphrase: %s)',
    async (passphrase) => {
      await writeKeyFile(path, root, { passphrase, cost: CHEAP });
      expect(toHex(await readKeyFile(path, { passphrase }))).toBe(toHex(root));
      expect(await keyFileNeedsPassphrase(path)).toBe(passphrase !== undefined);
      expect(await keyFileFingerprint(path)).toBe(fingerprint);
      expect((await stat(path)).mode & 0o777).toBe(0o600);
      expect(await readdir(directory)).toEqual(['vault.key']);
    },
  );

  it('uses the recommended cost unless told otherwise, and does not have the root in it', async () => {
    await writeKeyFile(path, root, { passphrase: 'a' });
    const text = await readFile(path, 'utf8');
    expect(JSON.parse(text).protection).toMatchObject({
      kdf: 'argon2id',
      memoryKiB: 65536,
      passes: 3,
      lanes: 4,
    });
    expect(text).not.toContain(toHex(root));
    expect(toHex(await readKeyFile(path, { passphrase: 'a' }))).toBe(toHex(root));
  });

  it('is never overwritten', async () => {
    await writeKeyFile(path, root);
    const error = await failure(writeKeyFile(path, systemRandom.bytes(32)));
    expect(error.code).toBe('ALREADY_EXISTS');
    expect(toHex(await readKeyFile(path))).toBe(toHex(root));
  });

  it('is written by one of many at the same time', async () => {
    const results = await Promise.allSettled(
      Array.from({ length: 8 }, () => writeKeyFile(path, systemRandom.bytes(32))),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await readKeyFile(path)).toHaveLength(32);
  });

  it('reads a passphrase the same however its letters were composed', async () => {
    await writeKeyFile(path, root, { passphrase: 'caf\u00e9', cost: CHEAP });
    expect(toHex(await readKeyFile(path, { passphrase: 'cafe\u0301' }))).toBe(toHex(root));
  });
});

describe('trouble with a key file', () => {
  it('KEY_MISSING when there is none, with a hint', async () => {
    for (const call of [readKeyFile, keyFileNeedsPassphrase, keyFileFingerprint]) {
      const error = await failure(call(path));
      expect(error.code).toBe('KEY_MISSING');
      expect(error.message).toContain(path);
      expect(error.hint).toContain('recovery phrase');
    }
  });

  it.each([undefined, '', 'wrong', 'right '])('KEY_WRONG for the passphrase %s', async (passphrase) => {
    await writeKeyFile(path, root, { passphrase: 'right', cost: CHEAP });
    const error = await failure(readKeyFile(path, { passphrase }));
    expect(error.code).toBe('KEY_WRONG');
    expect(error.message).toContain(fingerprint);
    expect(error.hint).toBeDefined();
  });

  it('refuses an empty passphrase, a wrong root and a place that cannot be written', async () => {
    expect((await failure(writeKeyFile(path, root, { passphrase: '' }))).code).toBe('USAGE');
    expect((await failure(writeKeyFile(path, new Uint8Array(31)))).code).toBe('KEY_WRONG');
    expect((await failure(writeKeyFile(join(directory, 'no', 'where'), root))).code).toBe(
      'TARGET_UNWRITABLE',
    );
    expect(await readdir(directory)).toEqual([]);
  });

  it('tells rot from a wrong passphrase', async () => {
    await writeKeyFile(path, root, { passphrase: 'right', cost: CHEAP });
    await edit((fields) => {
      fields.secret = `00${String(fields.secret).slice(2)}`;
    });
    expect((await failure(readKeyFile(path, { passphrase: 'right' }))).code).toBe('FORMAT_INVALID');
  });

  it.each<[string, (fields: Record<string, unknown>) => void, string]>([
    ['another version', (f) => Object.assign(f, { version: 2 }), 'FORMAT_VERSION'],
    ['a version that is text', (f) => Object.assign(f, { version: toHex(root) }), 'FORMAT_VERSION'],
    ['another format', (f) => Object.assign(f, { format: 'x' }), 'FORMAT_INVALID'],
    [
      'another fingerprint',
      (f) => Object.assign(f, { fingerprint: '0000-0000-0000-0000' }),
      'FORMAT_INVALID',
    ],
    ['a malformed fingerprint', (f) => Object.assign(f, { fingerprint: 7 }), 'FORMAT_INVALID'],
    ['an odd secret', (f) => Object.assign(f, { secret: 'abc' }), 'FORMAT_INVALID'],
    ['no protection field', (f) => Object.assign(f, { protection: undefined }), 'FORMAT_INVALID'],
    ['an unknown kdf', (f) => Object.assign(f.protection as object, { kdf: 'md5' }), 'FORMAT_INVALID'],
    [
      'a cost that fills memory',
      (f) => Object.assign(f.protection as object, { memoryKiB: 2 ** 31 }),
      'FORMAT_INVALID',
    ],
    ['a cost of nothing', (f) => Object.assign(f.protection as object, { memoryKiB: 8 }), 'FORMAT_INVALID'],
    [
      'a cost that is no number',
      (f) => Object.assign(f.protection as object, { passes: '3' }),
      'FORMAT_INVALID',
    ],
    [
      'a cost of endless time',
      (f) => Object.assign(f.protection as object, { passes: 1e9 }),
      'FORMAT_INVALID',
    ],
    ['a short salt', (f) => Object.assign(f.protection as object, { salt: '00' }), 'FORMAT_INVALID'],
    [
      'another cost than it was made with',
      (f) => Object.assign(f.protection as object, { passes: 2 }),
      'FORMAT_INVALID',
    ],
  ])('refuses %s', async (_, change, code) => {
    await writeKeyFile(path, root, { passphrase: 'right', cost: CHEAP });
    await edit(change);
    expect((await failure(readKeyFile(path, { passphrase: 'right' }))).code).toBe(code);
  });

  it.each([
    { ...CHEAP, memoryKiB: 2 ** 31 },
    { ...CHEAP, memoryKiB: 8 },
    { ...CHEAP, memoryKiB: Number.NaN },
    { ...CHEAP, passes: 1e9 },
    { ...CHEAP, passes: 0 },
    { ...CHEAP, lanes: 1.5 },
    { ...CHEAP, lanes: 10_000 },
  ])(
    'refuses a cost out of bounds even in a file that is otherwise sound: $memoryKiB KiB × $passes, $lanes lanes',
    (cost) => {
      const protection = { ...cost, salt: new Uint8Array(16) };
      const error = codeOf(() =>
        decodeKeyFile(encodeKeyFile({ fingerprint, protection, secret: root }), path),
      );
      expect(error.code).toBe('FORMAT_INVALID');
      expect(error.message).toContain('out of bounds');
    },
  );

  it('leaves nothing behind when the disk is full', async () => {
    const probe = await open(directory);
    const sync = vi.spyOn(Object.getPrototypeOf(probe) as typeof probe, 'sync');
    await probe.close();
    sync.mockRejectedValueOnce(Object.assign(new Error('no space'), { code: 'ENOSPC' }));
    try {
      expect((await failure(writeKeyFile(path, root))).code).toBe('DISK_FULL');
    } finally {
      sync.mockRestore();
    }
    expect(await readdir(directory)).toEqual([]);
    await writeKeyFile(path, root);
  });

  it('refuses what is no file, or far too large', async () => {
    expect((await failure(readKeyFile(directory))).code).toBe('FORMAT_INVALID');
    await writeFile(path, 'x'.repeat(20_000));
    expect((await failure(readKeyFile(path))).code).toBe('FORMAT_INVALID');
    await writeFile(path, '');
    expect((await failure(readKeyFile(path))).message).toContain('empty');
  });

  it('takes arbitrary text without any other failure than its own', () => {
    const good = {
      format: 'holdfast-key',
      version: 1,
      fingerprint: '0000-0000-0000-0000',
      protection: null,
      secret: '',
      check: '',
    };
    const bad = (text: string) => codeOf(() => decodeKeyFile(text, 'f')).code.startsWith('FORMAT_');
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), bad));
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(good)), fc.jsonValue(), (key, value) =>
        bad(JSON.stringify({ ...good, [key]: value })),
      ),
    );
  });

  it('never shows the secret', async () => {
    await writeKeyFile(path, root);
    const text = await readFile(path, 'utf8');
    for (const broken of [
      text.slice(0, -5),
      text.replace('"version": 1', `"version": "${toHex(root)}"`),
      text.replace(/"check".*/, '"check": "x"'),
    ]) {
      await writeFile(path, broken);
      const shown = inspect(await failure(readKeyFile(path)), { depth: 9, showHidden: true });
      expect(shown).not.toContain(toHex(root).slice(0, 16));
    }
  });
});

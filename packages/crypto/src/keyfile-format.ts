import { fromHex, HoldfastError, toHex } from '@holdfast/contracts';
import { Blake3Stream } from './blake3.ts';
import { DOMAINS } from './domains.ts';
import { type Argon2Cost, isReasonableCost, SALT_BYTES } from './passphrase.ts';

const FORMAT = 'holdfast-key';
const VERSION = 1;
const NOTE = 'Whoever has this file can read the backups; without it nobody can. Keep a copy elsewhere.';
const FINGERPRINT = /^[0-9a-f]{4}(-[0-9a-f]{4}){3}$/;
const HEX = /^([0-9a-f]{2})*$/;

export interface KeyFileContent {
  readonly fingerprint: string;
  /** Null: the secret is the root itself. */
  readonly protection: (Argon2Cost & { readonly salt: Uint8Array }) | null;
  /** The root, 32 bytes, or a box with the root under the passphrase's key. */
  readonly secret: Uint8Array;
}

/** The public part, which the box vouches for: nobody can move a secret under another fingerprint or cost. */
export function keyFileHeader({ fingerprint, protection }: Omit<KeyFileContent, 'secret'>): Uint8Array {
  const cost = protection && [
    protection.memoryKiB,
    protection.passes,
    protection.lanes,
    toHex(protection.salt),
  ];
  return Buffer.from(JSON.stringify([FORMAT, VERSION, fingerprint, cost]), 'utf8');
}

export function encodeKeyFile(content: KeyFileContent): string {
  const { fingerprint, protection, secret } = content;
  const fields = {
    format: FORMAT,
    version: VERSION,
    note: NOTE,
    fingerprint,
    protection: protection && { kdf: 'argon2id', ...protection, salt: toHex(protection.salt) },
    secret: toHex(secret),
    check: checkValue(content),
  };
  return `${JSON.stringify(fields, null, 2)}\n`;
}

/** FORMAT_INVALID, FORMAT_VERSION. The errors never quote the text: it may be the secret itself. */
export function decodeKeyFile(text: string, path: string): KeyFileContent {
  const fields = parseObject(text, path);
  if (fields.format !== FORMAT) throw damaged(path, 'it does not say that it is one');
  if (fields.version !== VERSION) {
    const version = typeof fields.version === 'number' ? fields.version : 'unknown';
    throw new HoldfastError(
      'FORMAT_VERSION',
      `The key file ${path} has version ${version}; this program knows ${VERSION}.`,
      {
        hint: 'Use a newer Holdfast.',
      },
    );
  }
  const fingerprint = fields.fingerprint;
  if (typeof fingerprint !== 'string' || !FINGERPRINT.test(fingerprint))
    throw damaged(path, 'its fingerprint is malformed');
  const content = {
    fingerprint,
    protection: decodeProtection(fields.protection, path),
    secret: hexField(fields.secret, path),
  };
  // A rotten file must not be taken for a wrong passphrase.
  if (fields.check !== checkValue(content)) {
    content.secret.fill(0);
    throw damaged(path, 'its check value does not match');
  }
  return content;
}

function decodeProtection(value: unknown, path: string): KeyFileContent['protection'] {
  if (value === null) return null;
  if (!isRecord(value) || value.kdf !== 'argon2id')
    throw damaged(path, 'its protection is of an unknown kind');
  const salt = hexField(value.salt, path);
  const cost = {
    memoryKiB: value.memoryKiB,
    passes: value.passes,
    lanes: value.lanes,
  } as Argon2Cost;
  if (salt.length !== SALT_BYTES || !isReasonableCost(cost))
    throw damaged(path, 'its argon2id parameters are out of bounds');
  return { ...cost, salt };
}

function parseObject(text: string, path: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, so it is not passed on as a cause.
    throw damaged(path, text.trim() === '' ? 'it is empty' : 'it is not JSON');
  }
  if (!isRecord(value)) throw damaged(path, 'it holds no JSON object');
  return value;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function hexField(value: unknown, path: string): Uint8Array {
  if (typeof value !== 'string' || !HEX.test(value)) throw damaged(path, 'a field is not hexadecimal');
  return fromHex(value);
}

/** 8 bytes of BLAKE3 as hex: against rot and slips of an editor, not against malice. */
function checkValue(content: KeyFileContent): string {
  const hash = new Blake3Stream({ context: DOMAINS.keyFileCheck });
  return toHex(hash.update(keyFileHeader(content)).update(content.secret).digest().subarray(0, 8));
}

function damaged(path: string, why: string): HoldfastError {
  return new HoldfastError('FORMAT_INVALID', `${path} is not a sound key file: ${why}.`, {
    hint: 'Use a copy of the key file or the recovery phrase. If `holdfast init` was interrupted, remove the file and run it again.',
  });
}

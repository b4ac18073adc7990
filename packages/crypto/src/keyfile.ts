import { constants } from 'node:fs';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { HoldfastError } from '@holdfast/contracts';
import { openBox, sealBox } from './box.ts';
import { decodeKeyFile, encodeKeyFile, type KeyFileContent, keyFileHeader } from './keyfile-format.ts';
import { ROOT_BYTES, VaultKeys } from './keys.ts';
import { type Argon2Cost, DEFAULT_COST, keyFromPassphrase, SALT_BYTES } from './passphrase.ts';
import { systemRandom } from './random.ts';

/** A key file is below 1 KiB; more is something else. */
const MAX_FILE_BYTES = 16 * 1024;

export interface KeyFileOptions {
  readonly passphrase?: string;
}

/**
 * Creates the file, readable by its user only, durable when resolved. ALREADY_EXISTS rather than overwrite: what
 * is there may be the only key to other backups.
 */
export async function writeKeyFile(
  path: string,
  root: Uint8Array,
  { passphrase, cost = DEFAULT_COST }: KeyFileOptions & { readonly cost?: Argon2Cost } = {},
): Promise<void> {
  const content = passphrase === undefined ? bare(root) : await underPassphrase(root, passphrase, cost);
  const file = await openFile(path, 'wx');
  try {
    await file.writeFile(encodeKeyFile(content), 'utf8');
    await file.sync();
  } catch (error) {
    await unlink(path).catch(() => undefined);
    throw writeError(error, path);
  } finally {
    await file.close();
  }
  await syncDirectory(dirname(path));
}

/**
 * The 32-byte root, for the caller to wipe. KEY_MISSING; KEY_WRONG for a wrong or missing passphrase; FORMAT_INVALID
 * and FORMAT_VERSION. A passphrase given for a file without one is ignored.
 */
export async function readKeyFile(path: string, { passphrase }: KeyFileOptions = {}): Promise<Uint8Array> {
  const content = await load(path);
  const root = content.protection === null ? content.secret : await unprotect(content, path, passphrase);
  if (root.length !== ROOT_BYTES || fingerprintOf(root) !== content.fingerprint) {
    root.fill(0);
    throw new HoldfastError(
      'KEY_WRONG',
      `The key in ${path} does not have the fingerprint ${content.fingerprint} that the file states.`,
      {
        hint: 'Use a copy of the key file or the recovery phrase.',
      },
    );
  }
  return root;
}

export async function keyFileNeedsPassphrase(path: string): Promise<boolean> {
  return (await loadPublicPart(path)).protection !== null;
}

/** Which vault the file belongs to, without its passphrase. */
export async function keyFileFingerprint(path: string): Promise<string> {
  return (await loadPublicPart(path)).fingerprint;
}

function bare(root: Uint8Array): KeyFileContent {
  return { fingerprint: fingerprintOf(root), protection: null, secret: root };
}

async function underPassphrase(
  root: Uint8Array,
  passphrase: string,
  cost: Argon2Cost,
): Promise<KeyFileContent> {
  if (passphrase === '') {
    throw new HoldfastError('USAGE', 'The passphrase is empty.', { hint: 'Give one, or none at all.' });
  }
  const header = {
    fingerprint: fingerprintOf(root),
    protection: { ...cost, salt: systemRandom.bytes(SALT_BYTES) },
  };
  const key = await keyFromPassphrase(passphrase, header.protection.salt, cost);
  try {
    return {
      ...header,
      secret: sealBox({ key, domain: BOX_DOMAIN, associated: keyFileHeader(header) }, root, systemRandom),
    };
  } finally {
    key.fill(0);
  }
}

const BOX_DOMAIN = 'holdfast/key-file/v1';

async function unprotect(
  content: KeyFileContent,
  path: string,
  passphrase: string | undefined,
): Promise<Uint8Array> {
  if (!passphrase) {
    throw new HoldfastError(
      'KEY_WRONG',
      `The key file ${path} (vault ${content.fingerprint}) is protected by a passphrase.`,
      {
        hint: 'Give the passphrase.',
      },
    );
  }
  const { protection, secret } = content;
  const key = await keyFromPassphrase(passphrase, protection!.salt, protection!);
  try {
    return openBox({ key, domain: BOX_DOMAIN, associated: keyFileHeader(content) }, secret);
  } catch {
    throw new HoldfastError(
      'KEY_WRONG',
      `Wrong passphrase for the key file ${path} (vault ${content.fingerprint}).`,
      {
        hint: 'Check the keyboard layout and Caps Lock, or use the recovery phrase.',
      },
    );
  } finally {
    key.fill(0);
  }
}

function fingerprintOf(root: Uint8Array): string {
  using keys = VaultKeys.fromRoot(root);
  return keys.fingerprint;
}

async function loadPublicPart(path: string): Promise<Omit<KeyFileContent, 'secret'>> {
  const { secret, ...rest } = await load(path);
  // Without a passphrase, this is the root.
  secret.fill(0);
  return rest;
}

async function load(path: string): Promise<KeyFileContent> {
  // Non-blocking, so that a FIFO in the file's place fails instead of hanging.
  const file = await openFile(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const stat = await file.stat();
    if (!stat.isFile() || stat.size > MAX_FILE_BYTES) {
      throw new HoldfastError('FORMAT_INVALID', `${path} is not a key file.`, {
        hint: 'Check the path of the key file.',
      });
    }
    return decodeKeyFile(await readBounded(file), path);
  } finally {
    await file.close();
  }
}

async function readBounded(file: FileHandle): Promise<string> {
  const buffer = Buffer.alloc(MAX_FILE_BYTES);
  try {
    let length = 0;
    while (length < buffer.length) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return buffer.toString('utf8', 0, length);
  } finally {
    buffer.fill(0);
  }
}

async function openFile(path: string, flags: string | number): Promise<FileHandle> {
  try {
    return await open(path, flags, 0o600);
  } catch (error) {
    throw flags === 'wx' ? writeError(error, path) : readError(error, path);
  }
}

function readError(error: unknown, path: string): HoldfastError {
  const missing = errno(error) === 'ENOENT';
  return new HoldfastError(
    'KEY_MISSING',
    missing ? `There is no key file at ${path}.` : `The key file ${path} cannot be opened.`,
    {
      hint: missing
        ? 'Bring a copy of it here, or use the recovery phrase.'
        : 'Check who owns the file and its permissions.',
      cause: error,
    },
  );
}

function writeError(error: unknown, path: string): HoldfastError {
  switch (errno(error)) {
    case 'EEXIST':
      return new HoldfastError('ALREADY_EXISTS', `There is a key file at ${path} already.`, {
        hint: 'It may be the only key to existing backups: move it away yourself if it really is not needed.',
        cause: error,
      });
    case 'ENOSPC':
    case 'EDQUOT':
      return new HoldfastError('DISK_FULL', `No space left to write the key file ${path}.`, { cause: error });
    default:
      return HoldfastError.from(error, 'TARGET_UNWRITABLE', `The key file ${path} cannot be written.`, {
        hint: 'Check that the directory exists and may be written to.',
      });
  }
}

const errno = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

/** Makes the new name itself survive a loss of power. Windows cannot open directories, and does not need it. */
async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const directory = await open(path, constants.O_RDONLY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

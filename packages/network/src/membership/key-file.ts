import { createPrivateKey, type KeyObject } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { HoldfastError } from '@holdfast/contracts';

/** PKCS#8 PEM with mode 0600. Never overwrites: losing a key loses what it stands for. */
export async function writeKeyFile(path: string, key: KeyObject): Promise<void> {
  const file = await open(path, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST')
      throw new HoldfastError('ALREADY_EXISTS', `The key file ${path} exists already.`);
    throw unwritable(path, error);
  });
  try {
    await file.writeFile(key.export({ type: 'pkcs8', format: 'pem' }));
    await file.sync();
  } catch (error) {
    throw unwritable(path, error);
  } finally {
    await file.close();
  }
}

export async function readKeyFile(path: string): Promise<KeyObject> {
  const pem = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new HoldfastError('KEY_MISSING', `The key file ${path} cannot be read.`, {
      hint: error.code === 'ENOENT' ? 'Create the identity first.' : 'Check its permissions.',
      cause: error,
    });
  });
  try {
    return createPrivateKey(pem);
  } catch (error) {
    throw new HoldfastError('KEY_WRONG', `The file ${path} is not a private key in PEM form.`, {
      cause: error,
    });
  }
}

const unwritable = (path: string, error: unknown): HoldfastError =>
  new HoldfastError('DISK_FULL', `The key file ${path} cannot be written.`, {
    hint: 'Check the free space and the permissions of its directory.',
    cause: error,
  });

import { readFile, stat } from 'node:fs/promises';
import { HoldfastError } from '@holdfast/contracts';

/**
 * The vault's passphrase from the environment, never from the command line, which other users can see: the value of
 * HOLDFAST_PASSPHRASE, or the first line of the file that HOLDFAST_PASSPHRASE_FILE names. Null when neither is set.
 */
export async function environmentPassphrase(
  environment: NodeJS.ProcessEnv = process.env,
): Promise<string | null> {
  const { HOLDFAST_PASSPHRASE: given, HOLDFAST_PASSPHRASE_FILE: file } = environment;
  if (given && file) {
    throw new HoldfastError('USAGE', 'Both HOLDFAST_PASSPHRASE and HOLDFAST_PASSPHRASE_FILE are set.', {
      hint: 'Set just one of them.',
    });
  }
  if (given) return given;
  return file ? firstLine(file) : null;
}

/** Asked once by what runs for long; what it starts must not find it in its environment. */
export async function takePassphrase(): Promise<string | null> {
  const passphrase = await environmentPassphrase();
  delete process.env.HOLDFAST_PASSPHRASE;
  delete process.env.HOLDFAST_PASSPHRASE_FILE;
  return passphrase;
}

async function firstLine(path: string): Promise<string> {
  const text = await readPrivate(path);
  const line = text.split(/\r?\n/, 1)[0]!;
  if (line === '') {
    throw new HoldfastError('KEY_MISSING', `${path} (HOLDFAST_PASSPHRASE_FILE) has an empty first line.`, {
      hint: 'Write the passphrase into its first line.',
    });
  }
  return line;
}

async function readPrivate(path: string): Promise<string> {
  try {
    const { mode } = await stat(path);
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw new HoldfastError('KEY_MISSING', `Others can read ${path} (HOLDFAST_PASSPHRASE_FILE).`, {
        hint: `Make it private: chmod 600 ${path}`,
      });
    }
    return await readFile(path, 'utf8');
  } catch (error) {
    throw HoldfastError.from(error, 'KEY_MISSING', `${path} (HOLDFAST_PASSPHRASE_FILE) cannot be read.`, {
      hint: 'Check the path and its permissions.',
    });
  }
}

import { randomUUID } from 'node:crypto';
import { access, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError, isPeerId, type PeerId, type Region } from '@holdfast/contracts';

/** What lies where below a peer's directory. */
export const peerFiles = (directory: string) => ({
  /** PKCS#8 PEM, readable by the peer's user alone. */
  identity: join(directory, 'identity.key'),
  /** JSON: what the peer proposes of itself. */
  profile: join(directory, 'peer.json'),
  /** PEM; written by `acceptGrant`. */
  certificate: join(directory, 'certificate.pem'),
  authority: join(directory, 'authority.pem'),
  /** The shard store. */
  data: join(directory, 'data'),
});

export interface PeerProfile {
  readonly id: PeerId;
  readonly name: string;
  readonly operator: string;
  readonly region: Region;
  /** Where owners are told to reach it; empty and 0 when unknown. */
  readonly host: string;
  readonly port: number;
}

export async function makePrivateDirectory(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 }).catch((error) => {
    throw new HoldfastError('DISK_FULL', `The directory ${directory} cannot be made.`, { cause: error });
  });
}

export const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Replaces a small file whole: a crash leaves the old one or the new one. */
export async function replaceFile(directory: string, path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    {
      await using file = await open(temporary, 'wx', 0o600);
      await file.writeFile(text);
      await file.sync();
    }
    await rename(temporary, path);
    await using parent = await open(directory, 'r');
    await parent.sync();
  } catch (error) {
    await rm(temporary, { force: true });
    throw new HoldfastError('DISK_FULL', `The file ${path} cannot be written.`, {
      hint: 'Check the free space and the permissions of its directory.',
      cause: error,
    });
  }
}

/** CONFIG_MISSING when there is no peer here, CONFIG_INVALID when its profile was damaged. */
export async function readProfile(directory: string): Promise<PeerProfile> {
  const path = peerFiles(directory).profile;
  const text = await readFile(path, 'utf8').catch((error) => {
    throw new HoldfastError('CONFIG_MISSING', `There is no peer in ${directory}.`, {
      hint: 'Run "holdfast peer init" first.',
      cause: error,
    });
  });
  try {
    const profile = JSON.parse(text) as PeerProfile;
    const texts = [profile.name, profile.operator, profile.region, profile.host];
    if (
      isPeerId(profile.id) &&
      Number.isSafeInteger(profile.port) &&
      texts.every((x) => typeof x === 'string')
    ) {
      return profile;
    }
  } catch (error) {
    throw new HoldfastError('CONFIG_INVALID', `The file ${path} is not JSON.`, { cause: error });
  }
  throw new HoldfastError('CONFIG_INVALID', `The file ${path} does not describe a peer.`);
}

/** CONFIG_MISSING until the peer has been admitted. */
export function readMembership(directory: string): Promise<{ certificate: string; authority: string }> {
  const files = peerFiles(directory);
  return Promise.all([readFile(files.certificate, 'utf8'), readFile(files.authority, 'utf8')]).then(
    ([certificate, authority]) => ({ certificate, authority }),
    (error) => {
      throw new HoldfastError('CONFIG_MISSING', `The peer in ${directory} is no member of a swarm yet.`, {
        hint: 'Give the text of "holdfast peer request" to the swarm’s owner, and what comes back to "holdfast peer accept".',
        cause: error,
      });
    },
  );
}

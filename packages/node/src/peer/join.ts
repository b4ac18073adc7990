import { HoldfastError, type Region } from '@holdfast/contracts';
import {
  createJoinRequest,
  type Grant,
  generateIdentity,
  loadIdentity,
  readGrant,
  requireFacts,
  saveIdentity,
} from '@holdfast/network';
import {
  exists,
  makePrivateDirectory,
  type PeerProfile,
  peerFiles,
  readProfile,
  replaceFile,
} from './peer-directory.ts';

export interface InitPeerOptions {
  readonly directory: string;
  readonly name: string;
  readonly operator: string;
  readonly region: Region;
  /** Where owners will reach the peer, if known. */
  readonly host?: string;
  readonly port?: number;
}

/**
 * Makes a peer: directory, identity, profile; and its first join request. ALREADY_EXISTS rather than replacing an
 * identity; USAGE; DISK_FULL.
 */
export async function initPeer(
  options: InitPeerOptions,
): Promise<PeerProfile & { readonly request: string }> {
  const { directory, name, operator, region, host = '', port = 0 } = options;
  requireFacts({ operator, region });
  const files = peerFiles(directory);
  await makePrivateDirectory(directory);
  if (await exists(files.identity)) {
    throw new HoldfastError('ALREADY_EXISTS', `There is a peer in ${directory} already.`, {
      hint: 'Choose another directory, or go on with "holdfast peer request".',
    });
  }
  const identity = generateIdentity();
  const profile = { id: identity.id, name, operator, region, host, port };
  // The key last: it is what makes a peer, so a crash before it leaves nothing that a second try would trip over.
  await replaceFile(directory, files.profile, `${JSON.stringify(profile, null, 2)}\n`);
  await saveIdentity(files.identity, identity);
  return { ...profile, request: await createJoinRequest(identity, profile) };
}

/** The text that asks a swarm's administrator for admission. May be made as often as wanted. */
export async function joinRequest(directory: string): Promise<string> {
  const profile = await readProfile(directory);
  return createJoinRequest(await loadIdentity(peerFiles(directory).identity), profile);
}

/**
 * Checks the administrator's answer and keeps it; a later one replaces it. PEER_UNTRUSTED when it was made for another
 * peer or for another role.
 */
export async function acceptGrant(directory: string, token: string): Promise<Grant> {
  await readProfile(directory);
  const files = peerFiles(directory);
  const identity = await loadIdentity(files.identity);
  const grant = readGrant(token);
  if (grant.member.id !== identity.id || grant.member.role !== 'peer') {
    throw new HoldfastError('PEER_UNTRUSTED', `This grant is for ${grant.member.role} ${grant.member.id}.`, {
      hint: `This peer is ${identity.id}; ask for a grant made from its own request.`,
    });
  }
  await replaceFile(directory, files.authority, grant.authority);
  await replaceFile(directory, files.certificate, grant.certificate);
  return grant;
}

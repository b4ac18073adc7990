import type { PeerId, ShardStore } from '@holdfast/contracts';
import {
  type Authority,
  type Credentials,
  createAuthority,
  generateIdentity,
  issueCertificate,
  type MemberFacts,
  type ServeOptions,
  type ShardServer,
  serveShards,
} from '../src/index.ts';

export const newAuthority = (name = 'test swarm'): Promise<Authority> => createAuthority({ name });

export async function newMember(
  authority: Authority,
  facts: Partial<MemberFacts> = {},
): Promise<Credentials> {
  const identity = generateIdentity();
  const certificate = await issueCertificate(authority, identity.publicKey, {
    role: 'peer',
    operator: 'operator',
    region: 'eu/de',
    ...facts,
  });
  return { identity, certificate, authority: authority.certificate };
}

export const serveTest = (
  store: ShardStore,
  credentials: Credentials,
  options: Partial<ServeOptions> = {},
): Promise<ShardServer> =>
  serveShards({
    store,
    credentials,
    host: '127.0.0.1',
    port: 0,
    facts: { version: 'holdfast test', startedAt: 1 },
    ...options,
  });

export type Addresses = Map<PeerId, { host: string; port: number }>;

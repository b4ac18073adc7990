import { join } from 'node:path';

/** Where things lie in a vault. Everything but the configuration is for this program only. */
export const vaultLayout = (vault: string) => ({
  keys: join(vault, 'keys'),
  /** The root secret, under the passphrase if there is one. Without it, or its phrase, nothing can be restored. */
  rootKey: join(vault, 'keys', 'root.key'),
  /** The owner's private key towards peers: by it they know whose shards are whose. */
  ownerKey: join(vault, 'keys', 'owner.pem'),
  /** The owner's membership, issued by the authority. Public. */
  ownerCertificate: join(vault, 'keys', 'owner.crt'),
  /** Private key of the swarm's authority: who has it decides who is a peer. */
  authorityKey: join(vault, 'keys', 'authority.pem'),
  /** Public. */
  authorityCertificate: join(vault, 'keys', 'authority.crt'),
  catalog: join(vault, 'catalog.sqlite'),
  cache: join(vault, 'cache'),
  /** What the agent remembers, and the lock by which there is only one. */
  agent: join(vault, 'agent'),
  /** What is known of sources under continuous protection. */
  protect: join(vault, 'protect'),
});

export type VaultLayout = ReturnType<typeof vaultLayout>;

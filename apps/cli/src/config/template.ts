import type { PolicyConfig } from './schema.ts';

/** What `holdfast init` writes: every setting with its default and its meaning. */
export function configTemplate(policy: Pick<PolicyConfig, 'k' | 'm' | 'helpers' | 'maxPerOperator'>): string {
  const { k, m, helpers, maxPerOperator } = policy;
  return `# Holdfast configuration. Unknown keys are errors. Every setting is explained in docs/configuration.md.
version: 1

# How data is cut, coded and placed. Changes apply to new backups; old snapshots keep what they were made with.
policy:
  # Count this up when you change the settings below; snapshots record it.
  version: 1
  # Any k of the k + m shards of a partition rebuild it; fewer reveal nothing.
  k: ${k}
  # Parity shards: so many peers of a partition may be lost at once. Space on peers: (k + m) / k of the data.
  m: ${m}
  # 0: plain Reed-Solomon; a lost shard is rebuilt from k whole others. Else a Clay code: from parts of so many others,
  # k + 1 to k + m - 1, which is less to send and more to compute.
  helpers: ${helpers}
  # Most shards of one partition on the peers of one operator; never above k - 1. Up to m, a whole operator may vanish.
  maxPerOperator: ${maxPerOperator}
  # zstd level from 1 (fast) to 19 (small); 0 does not compress.
  compressionLevel: 1
  # How long peers are asked to keep a shard. A backup that relies on it renews the lease once half of it has passed.
  leaseDays: 90

network:
  # A request to a peer that makes no progress for so long has failed.
  requestTimeout: 30s
  # How long "status" and "peers" wait for a peer to answer.
  probeTimeout: 3s

performance: {}
  # Worker threads for compressing, sealing and coding; by default one per processor core.
  # workers: 4

# What is backed up, each under a name of its own. "holdfast source add" writes here and keeps your comments.
#
#   app:                         # a live SQLite database
#     kind: sqlite
#     path: /var/lib/app/app.db
#   home:                        # a directory with all below it
#     kind: tree
#     path: ~/documents
#     exclude: ['*.tmp', node_modules]
#     oneFileSystem: true
#   dump:                        # standard input: pg_dump app | holdfast backup dump
#     kind: stdin
sources: {}
`;
}

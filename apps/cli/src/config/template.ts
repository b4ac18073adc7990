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

# Which peers get shards. Rules are given up in this order when they cannot be kept, and "holdfast status" then says so:
# latency, packet-loss, region, continent, load, reputation. What keeps peers from rebuilding anything is never given up.
placement:
  # hybrid: derived from a secret while most peers answer, drawn at random while many do not. Or deterministic, or random.
  mode: hybrid
  hybrid: { enterAbove: 80%, leaveBelow: 75% }
  # Count it up, and new partitions are spread anew.
  saltEpoch: 0
  # Most shards of one partition in one failure domain, see below; by default, and at most, k - 1.
  # maxPerFailureDomain: ${k - 1}
  # Fewest different peers for a partition.
  minDistinctPeers: 3
  # A peer that had a shard of a partition gets no other of it for so many windows.
  separationWindows: 30
  window: 24h
  # Column families of the same rows count as one partition.
  separateSiblings: false
  # Average round trip to the peers of a partition; packets that a peer may lose.
  maxLatency: 100ms
  maxPacketLoss: 5%
  # Most shards of a partition in one region (eu/de), and fewest continents (eu).
  maxPerRegion: 3
  minContinents: 2
  # Most of its room that a peer may use, and free room that it must have, in shards.
  maxLoad: 70%
  headroomShards: 2
  # What a peer's reputation must exceed; none below the floor is ever chosen.
  minReputation: 0.7
  reputationFloor: 0.5
  # Rules that are switched off, such as [latency, region].
  off: []
  # What else peers have in common and may lose together: a building, a network, a jurisdiction, by the names of the peers.
  #   cellar: [attic, garage]
  failureDomains: {}
  # A new policy for some of the new snapshots; the others keep to the previous one. See docs/configuration.md.
  # rollout: { percent: 10%, previous: { version: 1, maxPerRegion: 4 } }

network:
  # A request to a peer that makes no progress for so long has failed.
  requestTimeout: 30s
  # How long "status" and "peers" wait for a peer to answer.
  probeTimeout: 3s

agent:
  # How long a run may go on once "holdfast agent" is told to stop; then it is cancelled, to be continued at the next start.
  grace: 30s

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
#     schedule:                  # for "holdfast agent"; see docs/configuration.md
#       cron: '0 3 * * *'        # or: every: 15m
#       timezone: Europe/Vienna
#     hooks:
#       failure: [/usr/local/bin/tell-me]
#   dump:                        # standard input: pg_dump app | holdfast backup dump
#     kind: stdin
sources: {}
`;
}

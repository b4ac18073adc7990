export { acceptGrant, type InitPeerOptions, initPeer, joinRequest } from './peer/join.ts';
export { type PeerProfile, peerFiles } from './peer/peer-directory.ts';
export { type Logger, peerLogger } from './peer/peer-log.ts';
export { type PeerNode, type StartPeerOptions, startPeer } from './peer/peer-node.ts';
export { DiskShardStore, type DiskShardStoreOptions } from './store/disk-shard-store.ts';
export { systemClock } from './system-clock.ts';

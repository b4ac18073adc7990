import { MiB, type PeerView, peerIdToKey, type SwarmView } from '@holdfast/contracts';
import { type CborValue, decodeCanonical, encodeCanonical } from './cbor.ts';
import {
  checked,
  type FieldReader,
  flag,
  listOf,
  orNull,
  peerId,
  readFields,
  refuse,
  textOf,
  tupleOf,
  uint,
} from './fields.ts';

const WHAT = 'the view of a swarm';
const MAX_BYTES = 64 * MiB;
const MAX_PEERS = 100_000;
const MAX_DOMAINS = 64;
const MILLION = 1_000_000;

/**
 * A BLOB for the catalog: local to one owner, never signed or sent. Peers in the order of their ids. Our CBOR has no floats:
 * latencies are kept to the microsecond, shares to the millionth, which `roundedView` gives.
 */
export function encodeSwarmView(view: SwarmView): Uint8Array {
  const sorted = [...view].sort((a, b) => (a.id < b.id ? -1 : 1));
  return encodeCanonical(checked(sorted.map(peerToCbor), WHAT, viewFromCbor));
}

/** FORMAT_INVALID. */
export function decodeSwarmView(bytes: Uint8Array): PeerView[] {
  return readFields(decodeCanonical(bytes, { what: WHAT, maxBytes: MAX_BYTES }), WHAT, viewFromCbor);
}

/** A fact as the catalog keeps it: what is decided and what is checked later then go by the very same number. */
export const roundedLatency = (milliseconds: number): number => Math.round(milliseconds * 1000) / 1000;
export const roundedShare = (share: number): number => Math.round(share * MILLION) / MILLION;

function peerToCbor(peer: PeerView): CborValue {
  const { latencyMs, packetLoss, reputation, stability, uptime } = peer;
  return [
    peerIdToKey(peer.id),
    peer.operator,
    peer.region,
    peer.failureDomains,
    peer.member,
    peer.freeBytes ?? null,
    peer.capacityBytes ?? null,
    latencyMs === undefined ? null : Math.round(latencyMs * 1000),
    ...[packetLoss, reputation, stability, uptime].map((share) =>
      share === undefined ? null : Math.round(share * MILLION),
    ),
  ];
}

const share = orNull(uint(MILLION));
const columns = tupleOf(
  peerId,
  textOf(1024),
  textOf(1024),
  listOf(textOf(1024), MAX_DOMAINS),
  flag,
  orNull(uint()),
  orNull(uint()),
  orNull(uint()),
  share,
  share,
  share,
  share,
);

const peerFromCbor: FieldReader<PeerView> = (value) => {
  const [id, operator, region, failureDomains, member, free, capacity, latency, ...shares] = columns(value);
  const [packetLoss, reputation, stability, uptime] = shares;
  return {
    id,
    operator,
    region,
    failureDomains,
    member,
    ...known('freeBytes', free, 1),
    ...known('capacityBytes', capacity, 1),
    ...known('latencyMs', latency, 1000),
    ...known('packetLoss', packetLoss, MILLION),
    ...known('reputation', reputation, MILLION),
    ...known('stability', stability, MILLION),
    ...known('uptime', uptime, MILLION),
  };
};

const known = (field: keyof PeerView, value: number | null, unit: number): Partial<PeerView> =>
  value === null ? {} : { [field]: value / unit };

const peers = listOf(peerFromCbor, MAX_PEERS);

const viewFromCbor: FieldReader<PeerView[]> = (value) => {
  const view = peers(value);
  if (view.some((peer, i) => i > 0 && view[i - 1]!.id >= peer.id))
    refuse('does not list peers once, in order');
  return view;
};

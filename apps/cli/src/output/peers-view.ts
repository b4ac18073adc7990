import type { PeerEvent, PeerId } from '@holdfast/contracts';
import { formatBytes } from '../units/bytes.ts';
import type { Probe } from '../vault/probe.ts';
import type { Uptime } from '../vault/uptime.ts';
import type { Colors } from './colors.ts';
import { table } from './table.ts';
import { uptimeJson, uptimeText } from './uptime-text.ts';

export type PeerEvents = ReadonlyMap<PeerId, Readonly<Partial<Record<PeerEvent, number>>>>;

/** Events that say something against a peer, in the order of their weight. */
const BAD: readonly PeerEvent[] = ['wrong-bytes', 'missing', 'refused', 'unreachable', 'slow'];

export interface KnownOfPeers {
  readonly events: PeerEvents;
  readonly uptimes: ReadonlyMap<PeerId, Uptime>;
}

export function peerJson(probe: Probe, { events, uptimes }: KnownOfPeers): Record<string, unknown> {
  const { peer, status, roundTrip, failure } = probe;
  return {
    ...peer,
    reachable: status !== null,
    roundTripMs: roundTrip === null ? null : Math.round(roundTrip * 100) / 100,
    uptime: uptimeJson(uptimes.get(peer.id)),
    status,
    events: events.get(peer.id) ?? {},
    ...(failure ? { problem: { code: failure.code, message: failure.message } } : {}),
  };
}

export function peerTable(
  probes: readonly Probe[],
  { events, uptimes }: KnownOfPeers,
  colors: Colors,
): string[] {
  return table(
    [
      { title: 'PEER' },
      { title: 'STATE' },
      { title: 'OPERATOR' },
      { title: 'REGION' },
      { title: 'ADDRESS' },
      { title: 'USED', align: 'right' },
      { title: 'FREE', align: 'right' },
      { title: 'TRIP', align: 'right' },
      { title: 'UPTIME', align: 'right' },
      { title: 'TROUBLE SO FAR' },
    ],
    probes.map((probe) => {
      const { peer, status, roundTrip } = probe;
      return [
        colors.bold(peer.name),
        stateText(probe, colors),
        peer.operator,
        peer.region,
        `${peer.host}:${peer.port}`,
        status ? formatBytes(status.ownerUsedBytes) : '',
        status ? formatBytes(status.capacityBytes - status.usedBytes) : '',
        roundTrip === null ? '' : `${roundTrip < 10 ? roundTrip.toFixed(1) : Math.round(roundTrip)} ms`,
        uptimeText(uptimes.get(peer.id)),
        trouble(events.get(peer.id) ?? {}, colors),
      ];
    }),
  );
}

function stateText({ peer, status, failure }: Probe, colors: Colors): string {
  if (peer.state === 'left') return colors.dim('left');
  if (status) return colors.green('answers');
  return colors.red(failure?.code === 'PEER_UNTRUSTED' ? 'untrusted' : 'away');
}

function trouble(events: Readonly<Partial<Record<PeerEvent, number>>>, colors: Colors): string {
  return BAD.filter((event) => (events[event] ?? 0) > 0)
    .map((event) => {
      const text = `${events[event]} ${event}`;
      return event === 'wrong-bytes' ? colors.red(text) : text;
    })
    .join(', ');
}

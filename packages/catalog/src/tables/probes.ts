import {
  HoldfastError,
  type PeerProbe,
  PROBE_HOUR_MS,
  PROBE_HOURS_KEPT,
  type ProbeWindow,
  peerIdFromKey,
} from '@holdfast/contracts';
import type { Query, Schema } from '../schema.ts';
import type { PeerRefs } from './peers.ts';

type Window = Schema['peer_probe'];

export async function addProbes(
  query: Query,
  refs: PeerRefs,
  probes: readonly PeerProbe[],
  now: number,
): Promise<void> {
  for (const { peer, at, roundTripMs } of probes) {
    if (
      !(Number.isFinite(at) && at >= 0) ||
      !(roundTripMs === null || (roundTripMs >= 0 && roundTripMs < Number.POSITIVE_INFINITY))
    ) {
      throw new HoldfastError('USAGE', `A probe of ${peer} at ${at} with a round trip of ${roundTripMs} ms.`);
    }
  }
  const peers = await refs.refs(
    query,
    probes.map(({ peer }) => peer),
  );
  for (const [i, { at, roundTripMs }] of probes.entries()) {
    const trip = roundTripMs === null ? 0 : Math.round(roundTripMs * 1000);
    await addWindow(query, {
      since: Math.floor(at / PROBE_HOUR_MS) * PROBE_HOUR_MS,
      peer: peers[i]!,
      asked: 1,
      answered: roundTripMs === null ? 0 : 1,
      trip_sum_us: trip,
      trip_min_us: trip,
    });
  }
  await mergeOld(query, (Math.floor(now / PROBE_HOUR_MS) - PROBE_HOURS_KEPT) * PROBE_HOUR_MS);
}

export async function listProbes(query: Query, since: number): Promise<ProbeWindow[]> {
  const rows = await query
    .selectFrom('peer_probe')
    .innerJoin('peer', 'ref', 'peer')
    .selectAll()
    .where('since', '>=', since)
    .orderBy('since')
    .execute();
  const windows = rows.map((row) => ({
    peer: peerIdFromKey(row.key),
    since: row.since,
    asked: row.asked,
    answered: row.answered,
    tripSumMs: row.trip_sum_us / 1000,
    tripMinMs: row.trip_min_us / 1000,
  }));
  return windows.sort((a, b) => (a.peer === b.peer ? a.since - b.since : a.peer < b.peer ? -1 : 1));
}

/** So that the table has a bound however long the vault lives. */
async function mergeOld(query: Query, before: number): Promise<void> {
  const old = await query
    .deleteFrom('peer_probe')
    .where('since', '>', 0)
    .where('since', '<', before)
    .returningAll()
    .execute();
  for (const window of old) await addWindow(query, { ...window, since: 0 });
}

async function addWindow(query: Query, window: Window): Promise<void> {
  await query
    .insertInto('peer_probe')
    .values(window)
    .onConflict((c) =>
      c.columns(['since', 'peer']).doUpdateSet((e) => ({
        asked: e('peer_probe.asked', '+', window.asked),
        answered: e('peer_probe.answered', '+', window.answered),
        trip_sum_us: e('peer_probe.trip_sum_us', '+', window.trip_sum_us),
        // Without an answer there is no least round trip.
        ...(window.answered === 0
          ? {}
          : {
              trip_min_us: e
                .case()
                .when('peer_probe.answered', '=', 0)
                .then(window.trip_min_us)
                .when('peer_probe.trip_min_us', '>', window.trip_min_us)
                .then(window.trip_min_us)
                .else(e.ref('peer_probe.trip_min_us'))
                .end(),
            }),
      })),
    )
    .execute();
}

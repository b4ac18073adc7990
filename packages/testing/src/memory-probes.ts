import {
  HoldfastError,
  type PeerProbe,
  PROBE_HOUR_MS,
  PROBE_HOURS_KEPT,
  type ProbeWindow,
} from '@holdfast/contracts';

/** What `MemoryCatalog` keeps of probes: all of them. Windows are made when they are asked for. */
export class MemoryProbes {
  readonly #probes: PeerProbe[] = [];

  record(probes: readonly PeerProbe[], now: number): void {
    for (const { peer, at, roundTripMs } of probes) {
      if (
        !(at >= 0 && at < Number.POSITIVE_INFINITY) ||
        !((roundTripMs ?? 0) >= 0 && roundTripMs !== Number.POSITIVE_INFINITY)
      ) {
        throw new HoldfastError(
          'USAGE',
          `A probe of ${peer} at ${at} with a round trip of ${roundTripMs} ms.`,
        );
      }
    }
    for (const { peer, at, roundTripMs } of probes) {
      const since = Math.floor(at / PROBE_HOUR_MS) * PROBE_HOUR_MS;
      this.#probes.push({ peer, at: since, roundTripMs });
    }
    const before = (Math.floor(now / PROBE_HOUR_MS) - PROBE_HOURS_KEPT) * PROBE_HOUR_MS;
    for (const [i, probe] of this.#probes.entries()) {
      if (probe.at < before) this.#probes[i] = { ...probe, at: 0 };
    }
  }

  windows(from: number): ProbeWindow[] {
    const windows = new Map<string, ProbeWindow>();
    for (const { peer, at, roundTripMs } of this.#probes) {
      if (at < from) continue;
      const key = `${peer} ${at}`;
      const before = windows.get(key) ?? {
        peer,
        since: at,
        asked: 0,
        answered: 0,
        tripSumMs: 0,
        tripMinMs: 0,
      };
      const trip = Math.round((roundTripMs ?? 0) * 1000) / 1000;
      const answered = roundTripMs === null ? 0 : 1;
      windows.set(key, {
        peer,
        since: at,
        asked: before.asked + 1,
        answered: before.answered + answered,
        tripSumMs: Math.round((before.tripSumMs + trip) * 1000) / 1000,
        tripMinMs:
          answered === 0 ? before.tripMinMs : before.answered === 0 ? trip : Math.min(before.tripMinMs, trip),
      });
    }
    return [...windows.values()].sort((a, b) =>
      a.peer === b.peer ? a.since - b.since : a.peer < b.peer ? -1 : 1,
    );
  }
}

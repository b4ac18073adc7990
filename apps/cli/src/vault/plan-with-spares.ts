import { HoldfastError } from '@holdfast/contracts';
import { defaultSlaSettings, planSla, type SlaPlan, type SlaRequest, sparePeers } from '@holdfast/placement';

/** New backups should find enough peers this share of the time. */
const PLACEABLE = 0.99;

/**
 * A plan that leaves peers to spare, as many as asked for or as it takes to place new backups nearly always; without any where the
 * level is met in no other way, since that it can be kept matters more than when the next backup can be made.
 * @param spares null: as many as it takes
 */
export function planWithSpares(request: SlaRequest, spares: number | null): SlaPlan {
  if (spares !== null) return planSla({ ...request, settings: { ...request.settings, spares } });
  const assumed = request.settings?.assumedUptime ?? defaultSlaSettings.assumedUptime;
  const enough = sparePeers(request.candidates, PLACEABLE, assumed);
  const sparing = attempt({ ...request, settings: { ...request.settings, spares: enough } });
  if (sparing?.met) return sparing;
  const all = planSla(request);
  return all.met || sparing === null ? all : sparing;
}

/** Null when with so many spares no code at all can be placed. */
function attempt(request: SlaRequest): SlaPlan | null {
  try {
    return planSla(request);
  } catch (error) {
    if (HoldfastError.is(error, 'PLACEMENT_REFUSED')) return null;
    throw error;
  }
}

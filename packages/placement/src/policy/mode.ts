import { HoldfastError } from '@holdfast/contracts';

/** How peers are drawn: derived from salt and partition, so that anyone with the salt can repeat it, or at random. */
export type PlacementMode = 'deterministic' | 'random';

export interface ModeSettings {
  /** `hybrid`: deterministic while most peers are there, random while many are not. */
  readonly mode: 'hybrid' | PlacementMode;
  /** Share of members that answer, 0 … 1, above which hybrid becomes deterministic. */
  readonly enterAbove: number;
  /** … and below which it becomes random again. Lower, so that a peer that comes and goes does not flip it. */
  readonly leaveBelow: number;
}

/** The document's switching threshold, and our hysteresis below it. */
export const defaultMode: ModeSettings = { mode: 'hybrid', enterAbove: 0.8, leaveBelow: 0.75 };

/**
 * @param previous what was in force until now; null at the first time
 * @param peers members of the swarm, and how many of them answer
 */
export function chooseMode(
  { mode, enterAbove, leaveBelow }: ModeSettings,
  previous: PlacementMode | null,
  peers: { readonly members: number; readonly answering: number },
): PlacementMode {
  if (!(leaveBelow >= 0 && leaveBelow <= enterAbove && enterAbove <= 1)) {
    throw new HoldfastError(
      'USAGE',
      `Hybrid mode enters above ${enterAbove} and leaves below ${leaveBelow}; these must be shares, the second no larger.`,
    );
  }
  const { members, answering } = peers;
  if (
    !(
      Number.isSafeInteger(members) &&
      Number.isSafeInteger(answering) &&
      answering >= 0 &&
      answering <= members
    )
  ) {
    throw new HoldfastError('USAGE', `${answering} of ${members} peers cannot be answering.`);
  }
  if (mode !== 'hybrid') return mode;
  const availability = members === 0 ? 0 : answering / members;
  if (previous === 'deterministic') return availability < leaveBelow ? 'random' : 'deterministic';
  return availability > enterAbove ? 'deterministic' : 'random';
}

import type { PartitionId, PeerId } from '@holdfast/contracts';
import { byExposure, type Exposure, exposureOf } from '../exposure.ts';
import { Ledger, type Refused } from '../ledger.ts';
import { type RelaxedMove, relaxedMove } from '../relaxed.ts';
import { checkState, type PartitionState, type UpkeepState } from '../state.ts';
import { type Step, StepWriter } from '../steps.ts';
import {
  type Absences,
  absences,
  checkRepairSettings,
  defaultRepair,
  type RepairSettings,
} from './outages.ts';
import { chooseSources, type Sources } from './sources.ts';

/** A partition with shards that cannot be reached. */
export interface AffectedPartition extends Exposure {
  readonly partition: PartitionId;
  /** Indices of the shards that nobody has, or whose holder is unreachable or gone. */
  readonly missing: readonly number[];
}

export interface PlannedRepair extends AffectedPartition {
  /** Indices made again in this plan. */
  readonly made: readonly number[];
  readonly readBytes: number;
  readonly writtenBytes: number;
  /** From now, in the order of the plan, ms. */
  readonly doneAfterMs: number;
}

export interface WaitingPartition extends AffectedPartition {
  /** Wall clock, ms: when its repair starts if nobody comes back. */
  readonly startsAt: number;
}

export interface RepairPlan {
  /** `make`, `verify`, `write-off` of each shard; the partitions nearest to being lost first. */
  readonly steps: readonly Step[];
  readonly repairs: readonly PlannedRepair[];
  readonly waiting: readonly WaitingPartition[];
  /** Fewer than k shards can be reached: nothing can be made until somebody comes back. */
  readonly lost: readonly AffectedPartition[];
  readonly refused: readonly Refused[];
  readonly relaxed: readonly RelaxedMove[];
  readonly estimate: {
    readonly bytes: number;
    readonly ms: number;
    /** Within the recovery window. */
    readonly met: boolean;
  };
}

interface Work {
  readonly affected: AffectedPartition;
  readonly state: PartitionState;
}

/**
 * What to make again, where, and in which order, when peers are away. A partition whose margin has fallen to the
 * threshold is repaired at once and in full, since reading k shards makes any number of others; one with more margin
 * waits for its unreachable peers, and makes again what those had that are gone. USAGE for senseless input.
 */
export function planRepair(
  state: UpkeepState,
  request: { readonly settings?: RepairSettings; readonly salt: Uint8Array },
): RepairPlan {
  const { settings = defaultRepair, salt } = request;
  checkState(state);
  checkRepairSettings(settings);
  const away = absences(state.outages, settings, state.now);
  const ledger = new Ledger(state, salt);
  const work = affectedPartitions(state, away, ledger);
  const lost = work.filter(({ affected }) => affected.margin < 0).map(({ affected }) => affected);
  const planner = new RepairPlanner(state, settings, away, ledger);
  for (const each of work) if (each.affected.margin >= 0) planner.plan(each);
  return { ...planner.result(), lost };
}

function affectedPartitions(state: UpkeepState, { lost }: Absences, ledger: Ledger): Work[] {
  const work = state.partitions.flatMap((partition) => {
    const missing = partition.holders.flatMap((peer, i) => (peer === null || lost.has(peer) ? [i] : []));
    if (missing.length === 0) return [];
    const exposure = exposureOf(partition, lost, (peer) => ledger.facts(peer));
    return [{ affected: { partition: partition.id, ...exposure, missing }, state: partition }];
  });
  return work.sort(
    (a, b) => byExposure(a.affected, b.affected) || (a.affected.partition < b.affected.partition ? -1 : 1),
  );
}

class RepairPlanner {
  readonly #now: number;
  readonly #settings: RepairSettings;
  readonly #away: Absences;
  readonly #ledger: Ledger;
  readonly #unreadable: ReadonlySet<PeerId>;
  readonly #writer = new StepWriter();
  readonly #reads = new Map<PeerId, number>();
  readonly #repairs: PlannedRepair[] = [];
  readonly #waiting: WaitingPartition[] = [];
  readonly #refused: Refused[] = [];
  readonly #relaxed: RelaxedMove[] = [];
  #bytes = 0;

  constructor(state: UpkeepState, settings: RepairSettings, away: Absences, ledger: Ledger) {
    this.#now = state.now;
    this.#settings = settings;
    this.#away = away;
    this.#ledger = ledger;
    this.#unreadable = new Set(away.of.keys());
  }

  plan({ affected, state }: Work): void {
    const due = affected.missing.filter((index) => this.#isDue(affected, state.holders[index] ?? null));
    if (due.length < affected.missing.length) this.#wait(affected, state, due);
    if (due.length === 0) return;
    const source = chooseSources(state, due.length, this.#unreadable, this.#reads);
    if (!source) {
      this.#refused.push(...due.map((index) => tooFewReadable(state, index)));
      return;
    }
    const made = due.filter((index) => this.#make(state, index, source));
    if (made.length > 0) this.#count(affected, made, source.readBytes, state.shardBytes);
  }

  result(): Omit<RepairPlan, 'lost'> {
    const ms = this.#ms();
    return {
      steps: this.#writer.steps,
      repairs: this.#repairs,
      waiting: this.#waiting,
      refused: this.#refused,
      relaxed: this.#relaxed,
      estimate: { bytes: this.#bytes, ms, met: ms <= this.#settings.recoveryMs },
    };
  }

  #isDue({ margin }: Exposure, holder: PeerId | null): boolean {
    if (margin <= this.#settings.repairMargin || holder === null) return true;
    return this.#away.of.get(holder) === 'gone';
  }

  #wait(affected: AffectedPartition, { holders }: PartitionState, due: readonly number[]): void {
    const waitedFor = affected.missing.filter((index) => !due.includes(index));
    const startsAt = Math.min(...waitedFor.map((index) => this.#away.goneAt.get(holders[index]!)!));
    this.#waiting.push({ ...affected, missing: waitedFor, startsAt });
  }

  #make(partition: PartitionState, index: number, { sources, helpers }: Sources): boolean {
    const lost = this.#ledger.holders(partition.id)[index] ?? null;
    const answer = this.#ledger.replace(partition, index, this.#unreadable);
    if ('refused' in answer) {
      this.#refused.push(answer.refused);
      return false;
    }
    const deadline = this.#now + this.#settings.recoveryMs;
    this.#writer.make(
      { partition, index },
      { sources, helpers, to: answer.chosen.to, lost },
      { deadline, verifyBy: deadline },
    );
    this.#relaxed.push(...relaxedMove(partition.id, index, answer.chosen));
    return true;
  }

  #count(affected: AffectedPartition, made: number[], readBytes: number, shardBytes: number): void {
    const writtenBytes = made.length * shardBytes;
    this.#bytes += readBytes + writtenBytes;
    this.#repairs.push({ ...affected, made, readBytes, writtenBytes, doneAfterMs: this.#ms() });
  }

  #ms(): number {
    return (this.#bytes / this.#settings.bytesPerSecond) * 1000;
  }
}

const tooFewReadable = ({ id, k }: PartitionState, index: number): Refused => ({
  partition: id,
  index,
  rule: 'too-few-readable',
  reason: `Shard ${index} of partition ${id} cannot be made again yet: fewer than ${k} of the others answer at this moment.`,
  hint: 'It is planned as soon as they answer, or count as lost.',
});

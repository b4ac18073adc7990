import type { PeerId } from '@holdfast/contracts';
import { exposureOf } from '../exposure.ts';
import { Ledger, type Refused } from '../ledger.ts';
import { type RelaxedMove, relaxedMove } from '../relaxed.ts';
import { checkState, type PartitionState, type UpkeepState } from '../state.ts';
import { type Step, StepWriter } from '../steps.ts';
import { spread, transferMs } from './spread.ts';
import {
  checkDepartures,
  type Departing,
  type DepartureSettings,
  defaultDeparture,
  type Timeline,
  timelineOf,
} from './timeline.ts';

/** A shard of a departing peer that can go nowhere for now. */
export interface Stranded extends Refused {
  readonly peer: PeerId;
}

export interface Departure extends Timeline {
  readonly shards: number;
  readonly bytes: number;
  /** All transfers can be done by T. */
  readonly fits: boolean;
  readonly stranded: number;
  /** For people: until when the peer has to serve, and why. */
  readonly message: string;
}

export interface DeparturePlan {
  readonly departures: readonly Departure[];
  /** `copy`, `verify`, `release` of each shard; the most endangered partitions and the largest shards first. */
  readonly steps: readonly Step[];
  readonly stranded: readonly Stranded[];
  readonly relaxed: readonly RelaxedMove[];
}

interface Move {
  readonly partition: PartitionState;
  readonly index: number;
  readonly from: PeerId;
  readonly to: PeerId;
}

/**
 * Where the shards of peers that announced their departure go, when, and by when. Nothing moves to another departing
 * peer. Can be made anew at any time from the state at hand; shards that moved are not in it again. USAGE for senseless input.
 */
export function planDeparture(
  state: UpkeepState,
  request: {
    readonly departing: readonly Departing[];
    readonly settings?: DepartureSettings;
    readonly salt: Uint8Array;
  },
): DeparturePlan {
  const { departing, settings = defaultDeparture } = request;
  checkState(state);
  checkDepartures(departing, settings);
  const leaving = new Set(departing.map(({ peer }) => peer));
  const { moves, stranded, relaxed } = chooseTargets(state, leaving, new Ledger(state, request.salt));
  const writer = new StepWriter();
  const departures = departing.map((each) => {
    const own = moves.filter(({ from }) => from === each.peer);
    const bytes = own.map(({ partition }) => partition.shardBytes);
    const total = bytes.reduce((sum, size) => sum + size, 0);
    const timeline = timelineOf(each, settings, state.now, transferMs(total, settings.bytesPerSecond));
    const schedules = spread(bytes, timeline, settings);
    for (const [i, { partition, index, from, to }] of own.entries()) {
      writer.move({ partition, index }, from, to, schedules[i]);
    }
    const left = stranded.filter(({ peer }) => peer === each.peer).length;
    return departureOf(timeline, own.length, total, left);
  });
  return { departures, steps: writer.steps, stranded, relaxed };
}

function chooseTargets(state: UpkeepState, leaving: ReadonlySet<PeerId>, ledger: Ledger) {
  const away = new Set(state.outages.map(({ peer }) => peer));
  const moves: Move[] = [];
  const stranded: Stranded[] = [];
  const relaxed: RelaxedMove[] = [];
  for (const { partition, index, from } of inOrder(state, leaving, away, ledger)) {
    if (away.has(from)) {
      stranded.push({ peer: from, ...unreachable(partition, index, from) });
      continue;
    }
    const answer = ledger.replace(partition, index, leaving);
    if ('refused' in answer) stranded.push({ peer: from, ...answer.refused });
    else {
      moves.push({ partition, index, from, to: answer.chosen.to });
      relaxed.push(...relaxedMove(partition.id, index, answer.chosen));
    }
  }
  return { moves, stranded, relaxed };
}

/** The most endangered partitions first, counting on nobody who leaves; then the largest shards. */
function inOrder(
  state: UpkeepState,
  leaving: ReadonlySet<PeerId>,
  away: ReadonlySet<PeerId>,
  ledger: Ledger,
): Omit<Move, 'to'>[] {
  const without = new Set([...leaving, ...away]);
  const found = state.partitions.flatMap((partition) => {
    const own = partition.holders.flatMap((from, index) =>
      from !== null && leaving.has(from) ? [{ partition, index, from }] : [],
    );
    if (own.length === 0) return [];
    const { margin } = exposureOf(partition, without, (peer) => ledger.facts(peer));
    return own.map((move) => ({ ...move, margin }));
  });
  return found.sort(
    (a, b) =>
      a.margin - b.margin ||
      b.partition.shardBytes - a.partition.shardBytes ||
      (a.partition.id < b.partition.id ? -1 : a.partition.id > b.partition.id ? 1 : a.index - b.index),
  );
}

const unreachable = ({ id }: PartitionState, index: number, peer: PeerId): Refused => ({
  partition: id,
  index,
  rule: 'unreachable',
  reason: `Peer ${peer} does not answer, so that its shard ${index} of partition ${id} cannot be copied.`,
  hint: 'Repair makes it again from the others.',
});

function departureOf(timeline: Timeline, shards: number, bytes: number, stranded: number): Departure {
  const fits = timeline.verifyAt <= timeline.leavesAt;
  return { ...timeline, shards, bytes, fits, stranded, message: messageOf(timeline, fits, stranded) };
}

function messageOf({ peer, completeAt, late }: Timeline, fits: boolean, stranded: number): string {
  const notice = late ? ' It was announced late.' : '';
  if (stranded > 0) {
    return `Peer ${peer} cannot leave: ${stranded} of its shards can go nowhere. It has to go on serving them.${notice}`;
  }
  const until = new Date(completeAt).toISOString();
  const why = fits ? '' : ', since its transfers take longer than the time that is left';
  return `Peer ${peer} serves until ${until}${why}.${notice}`;
}

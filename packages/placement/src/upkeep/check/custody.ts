import type { PeerId } from '@holdfast/contracts';
import type { Step } from '../steps.ts';
import type { PartitionSteps } from './plan-order.ts';
import type { PlanViolation } from './violation.ts';

/** Who has one shard at some point of the plan. */
interface Custody {
  /** Known to have it, and reachable. */
  readonly verified: ReadonlySet<PeerId>;
  /** Something was sent there, by this plan or before. */
  readonly sent: ReadonlySet<PeerId>;
}

/**
 * Follows each shard through every state that its steps can lead to, in whatever order and wherever it stops: a step may be
 * the next as soon as all before it are done, those of other shards included. (Other shards' steps can all be done by then,
 * and matter to this one in nothing else: so what is reached with this shard's steps alone is all there is.)
 */
export function checkCustody(part: PartitionSteps, away: ReadonlySet<PeerId>): PlanViolation[] {
  const found = new Map<string, PlanViolation>();
  for (const [index, steps] of Map.groupBy(part.steps, (step) => step.index)) {
    const holder = part.partition.holders[index] ?? null;
    const reachable = holder !== null && !away.has(holder) ? [holder] : [];
    const maybe = part.partition.past.filter((one) => one.index === index && one.until === undefined);
    const start: Custody = { verified: new Set(reachable), sent: new Set(maybe.map(({ peer }) => peer)) };
    for (const violation of follow(part, steps, start, away)) {
      found.set(`${violation.rule} ${violation.step}`, violation);
    }
  }
  return [...found.values(), ...part.steps.flatMap((step) => [...sourcesOf(step, part, away)])];
}

function* follow(
  { before }: PartitionSteps,
  steps: readonly Step[],
  start: Custody,
  away: ReadonlySet<PeerId>,
): Generator<PlanViolation> {
  const seen = new Set<string>();
  const open: [done: number, custody: Custody][] = [[0, start]];
  const needs = steps.map((step) =>
    steps.reduce((mask, other, i) => (before.get(step.id)!.has(other.id) ? mask | (1 << i) : mask), 0),
  );
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [done, custody] = next;
    for (const [i, step] of steps.entries()) {
      if ((done & (1 << i)) !== 0 || (done & needs[i]!) !== needs[i]) continue;
      yield* wrongWith(step, custody, away, start.verified.size > 0);
      const then = after(step, custody, away);
      const state = [done | (1 << i), ...[...then.verified].sort(), '|', ...[...then.sent].sort()].join(' ');
      if (seen.has(state)) continue;
      seen.add(state);
      open.push([done | (1 << i), then]);
    }
  }
}

function after(step: Step, { verified, sent }: Custody, away: ReadonlySet<PeerId>): Custody {
  switch (step.kind) {
    case 'copy':
    case 'make':
      return { verified, sent: new Set([...sent, step.to]) };
    case 'verify':
      return { verified: away.has(step.peer) ? verified : new Set([...verified, step.peer]), sent };
    case 'release':
    case 'write-off':
      return { verified: without(verified, step.peer), sent: without(sent, step.peer) };
  }
}

function without(peers: ReadonlySet<PeerId>, gone: PeerId): Set<PeerId> {
  const left = new Set(peers);
  left.delete(gone);
  return left;
}

function* wrongWith(
  step: Step,
  { verified, sent }: Custody,
  away: ReadonlySet<PeerId>,
  /** The shard could be had before anything was done. */
  hadAtStart: boolean,
): Generator<PlanViolation> {
  const { id, partition, index } = step;
  const shard = `shard ${index} of partition ${partition}`;
  const violation = (rule: PlanViolation['rule'], message: string): PlanViolation => ({
    rule,
    partition,
    step: id,
    message,
  });
  if (step.kind === 'copy' && !verified.has(step.from)) {
    yield violation('source', `Step ${id} copies ${shard} from ${step.from}, which may not have it then.`);
  } else if (step.kind === 'verify' && !(verified.has(step.peer) || sent.has(step.peer))) {
    yield violation('source', `Step ${id} verifies ${shard} at ${step.peer}, which may not have it then.`);
  } else if (step.kind === 'release' || step.kind === 'write-off') {
    if (step.kind === 'release' && away.has(step.peer)) {
      yield violation('source', `Step ${id} asks ${step.peer} to delete ${shard}; it does not answer.`);
    }
    if (without(verified, step.peer).size > 0) return;
    const message = `Step ${id} takes ${shard} from ${step.peer} while nobody else is verified to have it.`;
    yield violation('released-unverified', message);
    if (hadAtStart) yield violation('margin', `After step ${id} nobody has ${shard}.`);
  }
}

/** What shards are made of: enough others, each at a holder that answers and that no step takes it from before. */
function* sourcesOf(step: Step, part: PartitionSteps, away: ReadonlySet<PeerId>): Generator<PlanViolation> {
  if (step.kind !== 'make') return;
  const { partition, steps, before } = part;
  const wrong = (message: string): PlanViolation => ({
    rule: 'source',
    partition: partition.id,
    step: step.id,
    message: `Step ${step.id}: ${message}`,
  });
  for (const { index, peer } of step.sources) {
    const has = index !== step.index && partition.holders[index] === peer && !away.has(peer);
    const kept = steps.every(
      (other) =>
        !((other.kind === 'release' || other.kind === 'write-off') && other.index === index) ||
        other.peer !== peer ||
        before.get(other.id)!.has(step.id),
    );
    if (!has || !kept) yield wrong(`shard ${index} may not be had from ${peer} then.`);
  }
  const different = new Set(step.sources.map(({ index }) => index)).size;
  const needed = step.helpers === 0 ? partition.k : step.helpers;
  if (different < needed || (step.helpers !== 0 && step.helpers !== partition.helpers)) {
    yield wrong(`it reads ${different} shards, with ${step.helpers} helpers; ${needed} are needed.`);
  }
}

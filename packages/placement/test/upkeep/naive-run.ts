import type { PeerId } from '@holdfast/contracts';
import { type Holding, separationMs } from '@holdfast/placement';
import type { Step, UpkeepState } from '@holdfast/placement/upkeep';
import type { Dice } from './random-state.ts';

/**
 * Does a plan's steps one by one in a given order and judges every state on the way by counting, in the plainest words:
 * what checkPlan is compared with. Faults that were there at the start are left out.
 */
export function faultsOnTheWay(state: UpkeepState, order: readonly Step[]): Set<string> {
  const away = new Set(state.outages.map(({ peer }) => peer));
  const have = new Map<string, Set<PeerId>>();
  const sent = new Map<string, Set<PeerId>>();
  const known = new Map<string, Holding[]>();
  const at = (map: Map<string, Set<PeerId>>, key: string): Set<PeerId> => {
    if (!map.has(key)) map.set(key, new Set());
    return map.get(key)!;
  };
  for (const { id, holders, past } of state.partitions) {
    known.set(
      id,
      past.filter(({ until }) => until === undefined || state.now - until < separationMs(state.settings)),
    );
    for (const { index, peer, until } of past) if (until === undefined) at(sent, `${id} ${index}`).add(peer);
    for (const [index, peer] of holders.entries()) {
      if (peer === null) continue;
      known.get(id)!.push({ index, peer });
      if (!away.has(peer)) at(have, `${id} ${index}`).add(peer);
    }
  }
  const available = (): Set<string> =>
    new Set([...have].filter(([, peers]) => peers.size > 0).map(([key]) => key));
  const startAvailable = available();
  const startFaults = exposureFaults(state, known);
  const faults = new Set<string>();
  for (const step of order) {
    const key = `${step.partition} ${step.index}`;
    if (step.kind === 'copy' || step.kind === 'make') {
      if (step.kind === 'copy' && !at(have, key).has(step.from)) faults.add('source');
      at(sent, key).add(step.to);
      known.get(step.partition)!.push({ index: step.index, peer: step.to });
    } else if (step.kind === 'verify') {
      if (!at(have, key).has(step.peer) && !at(sent, key).has(step.peer)) faults.add('source');
      if (!away.has(step.peer)) at(have, key).add(step.peer);
    } else {
      if (step.kind === 'release' && away.has(step.peer)) faults.add('source');
      at(have, key).delete(step.peer);
      at(sent, key).delete(step.peer);
      if (at(have, key).size === 0) faults.add('released-unverified');
    }
    const now = available();
    if ([...startAvailable].some((shard) => !now.has(shard))) faults.add('margin');
    // Only what arrives makes anybody know more.
    if (step.kind !== 'copy' && step.kind !== 'make') continue;
    for (const [fault, amount] of exposureFaults(state, known)) {
      if (amount > (startFaults.get(fault) ?? 0)) faults.add(fault.split('\n')[0]!);
    }
  }
  return faults;
}

/** Every rule about who may know what that is broken, and by how much. */
function exposureFaults(
  state: UpkeepState,
  known: ReadonlyMap<string, readonly Holding[]>,
): Map<string, number> {
  const facts = new Map(state.peers.map((peer) => [peer.id, peer]));
  const faults = new Map<string, number>();
  const { settings } = state;
  for (const { id, k, siblingGroup, siblings = [] } of state.partitions) {
    const holdings = known.get(id)!;
    for (const peer of new Set(holdings.map((one) => one.peer))) {
      const indices = new Set(holdings.filter((one) => one.peer === peer).map((one) => one.index));
      if (indices.size > 1) faults.set(`one-shard-per-peer\n${id} ${peer}`, indices.size);
    }
    const count = (
      rule: string,
      limit: number,
      sidesOf: (peer: PeerId) => readonly string[] | null,
    ): void => {
      const sides = new Set(holdings.flatMap(({ peer }) => sidesOf(peer) ?? []));
      for (const side of sides) {
        const theirs = holdings.filter(({ peer }) => sidesOf(peer)?.includes(side) ?? true);
        const different = new Set(theirs.map((one) => one.index)).size;
        if (different > Math.min(limit, k - 1)) faults.set(`${rule}\n${id} ${side}`, different);
      }
    };
    count('operator-limit', settings.maxPerOperator, (peer) => {
      const operator = facts.get(peer)?.operator;
      return operator === undefined ? null : [operator];
    });
    count('failure-domain-limit', settings.maxPerFailureDomain, (peer) => {
      const peerFacts = facts.get(peer);
      return peerFacts ? (peerFacts.failureDomains ?? []) : null;
    });
    if (!settings.separateSiblings) continue;
    const others = state.partitions.filter(
      (other) => other.id !== id && siblingGroup !== undefined && other.siblingGroup === siblingGroup,
    );
    const theirs = new Set([
      ...others.flatMap((other) => known.get(other.id)!.map(({ peer }) => peer)),
      ...siblings
        .filter(({ until }) => until === undefined || state.now - until < separationMs(settings))
        .map(({ peer }) => peer),
    ]);
    const both = new Set(holdings.map(({ peer }) => peer).filter((peer) => theirs.has(peer)));
    for (const peer of both) faults.set(`siblings\n${id} ${peer}`, 1);
  }
  return faults;
}

/** The steps in some order that the plan allows. */
export function someOrder(steps: readonly Step[], dice: Dice): Step[] {
  const left = new Set(steps);
  const done = new Set<number>();
  const order: Step[] = [];
  while (left.size > 0) {
    const ready = [...left].filter(({ after }) => after.every((id) => done.has(id)));
    if (ready.length === 0) throw new Error('The plan has a circle.');
    const step = dice.of(ready);
    left.delete(step);
    done.add(step.id);
    order.push(step);
  }
  return order;
}

/** All orders that the plan allows; for a handful of steps. */
export function* allOrders(steps: readonly Step[], order: readonly Step[] = []): Generator<Step[]> {
  const done = new Set(order.map(({ id }) => id));
  const ready = steps.filter((step) => !done.has(step.id) && step.after.every((id) => done.has(id)));
  if (ready.length === 0) yield [...order];
  for (const step of ready) yield* allOrders(steps, [...order, step]);
}

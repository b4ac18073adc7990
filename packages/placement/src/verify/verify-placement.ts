import type { PartitionId, PeerId, Region } from '@holdfast/contracts';
import type { PlacementRules } from '../placement-rules.ts';

export interface PlacedHolder {
  readonly index: number;
  readonly peer: PeerId;
  /** Held it once, or may have got it, but is not its holder now. */
  readonly past?: boolean;
}

export type PeerFacts = ReadonlyMap<PeerId, { readonly operator: string; readonly region: Region }>;

export interface Violation {
  readonly rule: 'one-shard-per-peer' | 'operator-limit' | 'unknown-peer' | 'unknown-index' | 'unplaced';
  /** What is wrong and by how much, for people. */
  readonly message: string;
}

/**
 * Checks a placement, past holders included, against the hard rules from recorded facts alone; `verifySpread` does the
 * soft ones. Shares no code with the assigner, so that a fault there cannot hide itself. Free room is not looked at:
 * it has changed since.
 */
export function verifyPlacement(request: {
  readonly partition: PartitionId;
  readonly placed: readonly PlacedHolder[];
  readonly facts: PeerFacts;
  readonly rules: PlacementRules;
}): Violation[] {
  const { placed, facts, rules } = request;
  return [...indices(placed, rules), ...separation(placed), ...collusion(placed, facts, rules)];
}

const violation = (rule: Violation['rule'], message: string): Violation => ({ rule, message });

function indices(placed: readonly PlacedHolder[], { k, m }: PlacementRules): Violation[] {
  const violations: Violation[] = [];
  const present = new Set<number>();
  for (const { index, peer, past } of placed) {
    if (!(Number.isInteger(index) && index >= 0 && index < k + m)) {
      violations.push(
        violation('unknown-index', `Peer ${peer} holds shard ${index} of a stripe of ${k + m}.`),
      );
    } else if (!past) {
      present.add(index);
    }
  }
  for (let index = 0; index < k + m; index++) {
    if (!present.has(index)) violations.push(violation('unplaced', `Shard ${index} has no holder.`));
  }
  return violations;
}

function separation(placed: readonly PlacedHolder[]): Violation[] {
  const violations: Violation[] = [];
  for (const [peer, held] of Map.groupBy(placed, (holder) => holder.peer)) {
    const different = new Set(held.map((holder) => holder.index));
    if (different.size > 1) {
      const list = [...different].sort((a, b) => a - b).join(', ');
      violations.push(
        violation('one-shard-per-peer', `Peer ${peer} holds or has held shards ${list}; one is allowed.`),
      );
    }
  }
  return violations;
}

function collusion(placed: readonly PlacedHolder[], facts: PeerFacts, rules: PlacementRules): Violation[] {
  const violations: Violation[] = [];
  const limit = Math.min(rules.maxPerOperator, rules.k - 1);
  const heldBy = new Map<string, Set<number>>();
  for (const { peer, index } of placed) {
    const operator = facts.get(peer)?.operator;
    if (operator === undefined) {
      violations.push(
        violation('unknown-peer', `Nothing is recorded about peer ${peer}, holder of shard ${index}.`),
      );
      continue;
    }
    const held = heldBy.get(operator) ?? new Set();
    heldBy.set(operator, held.add(index));
  }
  for (const [operator, { size }] of heldBy) {
    if (size <= limit) continue;
    violations.push(
      violation(
        'operator-limit',
        `Peers of operator ${operator} hold or have held ${size} shards; ${limit} are allowed.`,
      ),
    );
  }
  return violations;
}

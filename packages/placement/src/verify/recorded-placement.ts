import type { PartitionId, PeerId } from '@holdfast/contracts';
import type { Candidate } from '../candidate.ts';
import type { CertificateFacts } from '../certificate-facts.ts';
import type { Holding } from '../holding.ts';
import type { PlacementRules, Relaxation, SoftRule } from '../placement-rules.ts';

export interface PlacedHolder {
  readonly index: number;
  readonly peer: PeerId;
  /** Held it once, or may have got it, but is not its holder now. */
  readonly past?: boolean | undefined;
  /** Wall clock, ms: when it ceased to have it, which makes it a past holder too. A past one without counts for ever. */
  readonly until?: number | undefined;
}

/** What was known of a peer when shards were placed; room as it was before the shard. Absent: not recorded. */
export interface PeerFact
  extends Pick<Candidate, 'operator' | 'region'>,
    Partial<
      Pick<
        Candidate,
        'failureDomains' | 'latencyMs' | 'packetLoss' | 'reputation' | 'freeBytes' | 'capacityBytes'
      >
    > {
  readonly member?: boolean | undefined;
  readonly certificate?: CertificateFacts | undefined;
}

export type PeerFacts = ReadonlyMap<PeerId, PeerFact>;

/** All that a placement can be judged by afterwards. */
export interface RecordedPlacement {
  readonly partition: PartitionId;
  readonly placed: readonly PlacedHolder[];
  readonly facts: PeerFacts;
  /** The rules then in force. */
  readonly rules: PlacementRules;
  /** Who has or had shards of sibling partitions; needed where the rules separate siblings. */
  readonly siblings?: readonly Holding[] | undefined;
  /** The soft rules that were given up, as recorded with the placement. */
  readonly relaxations: readonly Relaxation[];
  /** When it was placed: wall clock, ms. */
  readonly now: number;
}

export type HardRule =
  | 'one-shard-per-peer'
  | 'sibling-separation'
  | 'operator-limit'
  | 'failure-domain-limit'
  | 'unknown-peer'
  | 'unknown-index'
  | 'unplaced'
  | 'copies'
  | 'min-distinct-peers'
  | 'membership'
  | 'certificate'
  | 'reputation-floor'
  | 'room';

export interface Violation {
  readonly rule: HardRule | 'unrecorded-relaxation';
  readonly severity: 'hard' | 'soft';
  /** What was found, and what the rule allows or asks for; null where it is no matter of numbers. */
  readonly measured: number | null;
  readonly limit: number | null;
  /** What is wrong and by how much, for people. */
  readonly message: string;
  /** Of an unrecorded relaxation: the soft rule that was not kept. */
  readonly softRule?: SoftRule;
}

/** What a rule could not be held against, for want of a recorded fact. */
export interface Unchecked {
  readonly rule: HardRule | SoftRule;
  /** Of whom the fact is missing; empty where it is not about peers. */
  readonly peers: readonly PeerId[];
  readonly message: string;
}

export const violation = (
  rule: HardRule,
  measured: number | null,
  limit: number | null,
  message: string,
): Violation => ({ rule, severity: 'hard', measured, limit, message });

export const isPresent = ({ past, until }: PlacedHolder): boolean => past !== true && until === undefined;

/** Present holders, each once for each shard. */
export function presentHolders(placed: readonly PlacedHolder[]): PlacedHolder[] {
  const present = placed.filter(isPresent);
  return [...new Map(present.map((holder) => [`${holder.index} ${holder.peer}`, holder])).values()];
}

/** Present holders of whom something is known, with it. */
export const knownHolders = (
  placed: readonly PlacedHolder[],
  facts: PeerFacts,
): { readonly index: number; readonly peer: PeerId; readonly fact: PeerFact }[] =>
  presentHolders(placed).flatMap(({ index, peer }) => {
    const fact = facts.get(peer);
    return fact === undefined ? [] : [{ index, peer, fact }];
  });

/**
 * Those who have a shard, or had it less than T windows before `now`; without `now`, all who ever had. Written anew here: the
 * verifier shares nothing with what it checks.
 */
export function counting<H extends PlacedHolder>(
  holders: readonly H[],
  rules: PlacementRules,
  now: number | undefined,
): H[] {
  const span = rules.separationWindows * rules.windowHours * 3_600_000;
  return holders.filter(({ until }) => until === undefined || now === undefined || !(now - until >= span));
}

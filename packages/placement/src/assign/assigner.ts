import type { PartitionId, PeerId, Random } from '@holdfast/contracts';
import { type Candidate, checkCandidates } from '../candidate.ts';
import { checkRules, type PlacementRules, peersNeeded, type Relaxation } from '../placement-rules.ts';
import { refuse } from '../refusal.ts';
import { noShardsYet } from '../rules/adversary-limit.ts';
import { relaxationsAt } from '../rules/ladders.ts';
import { type Token, Tokens } from './pair-hash.ts';
import { NOBODY, Pool } from './pool.ts';
import type { Standing } from './tally.ts';

export interface PlacementPlan {
  /** Index i gets shard i; with several copies of each, index c · n + i gets the c-th copy of shard i. */
  readonly peers: readonly PeerId[];
  /** In the order in which rules are given up; empty when all were kept. */
  readonly relaxations: readonly Relaxation[];
  /** Which choice it is: 1 when the first order of peers that was tried had one. */
  readonly attempts: number;
}

export interface AssignOptions {
  /** Peers that may have nothing of this partition: holders of its siblings. */
  readonly barred?: ReadonlySet<PeerId> | undefined;
  /** Draws the peers at random instead of deriving them from salt and partition. Must be cryptographically secure. */
  readonly random?: Random | undefined;
}

/** Fresh random orders before the deterministic one. */
const RANDOM_ATTEMPTS = 3;

/**
 * Peers for many partitions, among the same candidates, under the same rules. Prepared once; each partition then costs little more
 * than one look at every candidate's hash. The same arguments give the same peers, whatever the order of candidates.
 * Throws USAGE for senseless rules or candidates.
 */
export class Assigner {
  readonly #rules: PlacementRules;
  readonly #tokens: Tokens;
  readonly #pool: Pool;
  readonly #fresh: Standing;
  /** The limits in force were found for everybody, and have left a choice so far. */
  #isSettled = false;
  #relaxations: readonly Relaxation[] = [];

  constructor(request: {
    readonly candidates: readonly Candidate[];
    readonly rules: PlacementRules;
    readonly salt: Uint8Array;
  }) {
    const { candidates, rules, salt } = request;
    checkRules(rules);
    checkCandidates(candidates);
    this.#rules = rules;
    this.#tokens = new Tokens(salt);
    this.#pool = new Pool(candidates, rules, peersNeeded(rules), this.#tokens);
    this.#fresh = { adversaries: noShardsYet(rules), kept: [] };
  }

  /** PLACEMENT_REFUSED when no choice keeps the hard rules; details: `rule` and what is missing. */
  assign(partition: PartitionId, options: AssignOptions = {}): PlacementPlan {
    const { barred = NOBODY, random } = options;
    // Candidates only ever lose room, so limits that left a choice are still the least until they leave none.
    if (this.#isSettled || this.#settle(partition, NOBODY)) {
      const plan = this.#pick(partition, barred, random);
      if (plan) return plan;
    }
    this.#settle(partition, barred);
    const plan = this.#pick(partition, barred, random);
    this.#isSettled = barred.size === 0;
    if (plan) return plan;
    throw this.#refusal(partition, barred);
  }

  /** Room that is promised to a shard counts at once. Nothing happens for a peer that is no candidate. */
  reserve(peer: PeerId, bytes: number): void {
    const row = this.#pool.roster.row(peer);
    if (row !== undefined) this.#pool.reserve(row, bytes);
  }

  #settle(partition: PartitionId, barred: ReadonlySet<PeerId>): true {
    this.#isSettled = false;
    const levels = this.#pool.settle(peersNeeded(this.#rules), this.#fresh, barred);
    if (levels === null) throw this.#refusal(partition, barred);
    this.#relaxations = relaxationsAt(this.#pool.ladders, levels);
    this.#isSettled = true;
    return true;
  }

  /** Bounded: some random orders if wanted, the deterministic one, and that one once more with looking ahead. */
  #pick(partition: PartitionId, barred: ReadonlySet<PeerId>, random?: Random): PlacementPlan | null {
    const derived = this.#tokens.partition(partition);
    const tokens = [...(random ? randomTokens(random) : []), () => derived];
    for (const [tried, token] of tokens.entries()) {
      const peers = this.#pool.pick(token(), barred);
      if (peers) return this.#plan(peers, tried + 1);
    }
    const peers = this.#pool.pickCarefully(derived, barred);
    return peers && this.#plan(peers, tokens.length + 1);
  }

  #plan(peers: PeerId[], attempts: number): PlacementPlan {
    return { peers, relaxations: this.#relaxations, attempts };
  }

  #refusal(partition: PartitionId, barred: ReadonlySet<PeerId>) {
    const { roster } = this.#pool;
    const candidates = roster.ids.map((_, row) => roster.candidate(row));
    return refuse({
      partition,
      need: peersNeeded(this.#rules),
      candidates,
      barred,
      rules: this.#rules,
      adversaries: this.#fresh.adversaries,
    });
  }
}

const randomTokens = (random: Random): (() => Token)[] =>
  Array.from({ length: RANDOM_ATTEMPTS }, () => () => {
    const bytes = random.bytes(8);
    const view = new DataView(bytes.buffer, bytes.byteOffset, 8);
    return [view.getInt32(0), view.getInt32(4)] as const;
  });

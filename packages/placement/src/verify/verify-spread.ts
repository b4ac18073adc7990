import type { PlacementRules, SoftRule } from '../placement-rules.ts';
import { checkRecord } from './check-record.ts';
import { knownHolders, type PeerFacts, type PlacedHolder } from './recorded-placement.ts';

export interface SpreadShortfall {
  readonly rule: SoftRule;
  readonly severity: 'soft';
  /** What was found, and what the rule allows or asks for. */
  readonly measured: number;
  readonly limit: number;
  /** What is wanting and by how much, for people. */
  readonly message: string;
}

type Holders = ReturnType<typeof knownHolders>;

/** Sums of round trips are compared with this margin: floating point must not decide. */
const LATENCY_MARGIN = 1e-6;

/**
 * Which soft rules the present holders do not keep; each must appear among the placement's recorded relaxations. What is
 * not recorded of a peer speaks neither for nor against it, and a rule that is switched off is not looked at. Like the
 * verifier of the hard rules it shares no code with the assigner.
 */
export function verifySpread(request: {
  readonly placed: readonly PlacedHolder[];
  readonly facts: PeerFacts;
  readonly rules: PlacementRules;
}): SpreadShortfall[] {
  const { placed, facts, rules } = request;
  checkRecord(request);
  const holders = knownHolders(placed, facts);
  return [latency, packetLoss, region, continent, load, headroom, reputation]
    .flatMap((check) => check(holders, rules))
    .filter(({ rule }) => !rules.off.includes(rule));
}

const shortfall = (rule: SoftRule, measured: number, limit: number, message: string): SpreadShortfall => ({
  rule,
  severity: 'soft',
  measured,
  limit,
  message,
});

/** One not measured is taken for exactly as slow as is allowed. */
function latency(holders: Holders, { maxLatencyMs }: PlacementRules): SpreadShortfall[] {
  const excess = holders.reduce(
    (sum, { fact }) => sum + ((fact.latencyMs ?? maxLatencyMs) - maxLatencyMs),
    0,
  );
  if (excess <= LATENCY_MARGIN) return [];
  const average = maxLatencyMs + excess / holders.length;
  const message = `Round trips take ${average.toFixed(1)} ms on average; at most ${maxLatencyMs} ms are wanted.`;
  return [shortfall('latency', average, maxLatencyMs, message)];
}

function packetLoss(holders: Holders, { maxPacketLoss }: PlacementRules): SpreadShortfall[] {
  return holders.flatMap(({ peer, fact }) => {
    const { packetLoss: lost } = fact;
    if (lost === undefined || lost < maxPacketLoss) return [];
    const message = `Peer ${peer} lost ${lost} of packets; less than ${maxPacketLoss} is wanted.`;
    return [shortfall('packet-loss', lost, maxPacketLoss, message)];
  });
}

function region(holders: Holders, { maxPerRegion }: PlacementRules): SpreadShortfall[] {
  const regions = Map.groupBy(holders, ({ fact }) => fact.region.split('/').slice(0, 2).join('/'));
  return [...regions]
    .filter(([, { length }]) => length > maxPerRegion)
    .map(([name, { length }]) => {
      const message = `${length} shards lie in region ${name}; at most ${maxPerRegion} are wanted.`;
      return shortfall('region', length, maxPerRegion, message);
    });
}

function continent(holders: Holders, { minContinents }: PlacementRules): SpreadShortfall[] {
  const count = new Set(holders.map(({ fact }) => fact.region.split('/')[0])).size;
  if (count >= minContinents) return [];
  const message = `The shards lie on ${count} continents; at least ${minContinents} are wanted.`;
  return [shortfall('continent', count, minContinents, message)];
}

function load(holders: Holders, { maxLoad, shardBytes }: PlacementRules): SpreadShortfall[] {
  return holders.flatMap(({ peer, fact }) => {
    const { freeBytes, capacityBytes } = fact;
    if (freeBytes === undefined || capacityBytes === undefined) return [];
    const used = capacityBytes - freeBytes + shardBytes;
    if (used <= maxLoad * capacityBytes) return [];
    const message =
      `With the shard peer ${peer} uses ${used} of ${capacityBytes} bytes; ` +
      `at most ${maxLoad} of them is wanted.`;
    return [shortfall('load', used, maxLoad * capacityBytes, message)];
  });
}

function headroom(holders: Holders, { headroomShards, shardBytes }: PlacementRules): SpreadShortfall[] {
  const wanted = headroomShards * shardBytes;
  return holders.flatMap(({ peer, fact }) => {
    if (fact.freeBytes === undefined || fact.freeBytes >= wanted) return [];
    const message = `Peer ${peer} had ${fact.freeBytes} bytes free; at least ${wanted} are wanted.`;
    return [shortfall('load', fact.freeBytes, wanted, message)];
  });
}

function reputation(holders: Holders, { minReputation }: PlacementRules): SpreadShortfall[] {
  return holders.flatMap(({ peer, fact }) => {
    if (fact.reputation === undefined || fact.reputation > minReputation) return [];
    const message = `Peer ${peer} had a reputation of ${fact.reputation}; more than ${minReputation} is wanted.`;
    return [shortfall('reputation', fact.reputation, minReputation, message)];
  });
}

import { MinCostFlow } from './min-cost-flow.ts';
import type { Tally } from './tally.ts';

/**
 * Whether peers for all missing shards can be found among the rows of the pool, exactly but for failure domains, of which
 * only those already full are looked at. Units flow from operators (as many as each may still get) over peers (one each) to
 * regions (likewise) to continents. A continent that has nothing yet can send one unit over `spread`, which takes as
 * many as there are continents missing, and at so great a gain that the cheapest flow uses it as far as can be.
 * The rest of the cost is what round trips add to the average.
 */
export function canComplete(tally: Tally, pool: Iterable<number>): boolean {
  const { missing, missingContinents } = tally;
  if (missing === 0) return tally.isDone;
  if (missingContinents > missing) return false;
  const { network, source, sink, covered, gain } = build(tally, pool);
  const cost = network.send(source, sink, missing);
  if (cost === null || covered() < missingContinents) return false;
  return cost + gain * missingContinents <= tally.spareExcess;
}

function build(tally: Tally, pool: Iterable<number>) {
  const network = new MinCostFlow();
  const { roster, missing } = tally;
  const source = network.addNode();
  const sink = network.addNode();
  const spread = network.addNode();
  const useful = cheapest(tally, pool);
  const gain = gainFor(tally, useful);
  const covered = network.addEdge(spread, sink, tally.missingContinents, -gain);

  const continentNode = memo((continent) => {
    const node = network.addNode();
    network.addEdge(node, sink, missing, 0);
    if (tally.onContinent[continent] === 0) network.addEdge(node, spread, 1, 0);
    return node;
  });
  const regionNode = memo((region, row) => {
    const node = network.addNode();
    network.addEdge(node, continentNode(roster.continent[row]!, row), tally.regionSpare[region]!, 0);
    return node;
  });
  const operatorNode = memo((operator) => {
    const node = network.addNode();
    network.addEdge(source, node, tally.operatorSpare[operator]!, 0);
    return node;
  });
  for (const row of useful) {
    const [from, to] = [operatorNode(roster.operator[row]!, row), regionNode(roster.region[row]!, row)];
    network.addEdge(from, to, 1, tally.excess[row]!);
  }
  return { network, source, sink, covered, gain };
}

/** Of an operator's peers in one region no more than are missing can be of use, and the nearest are of most. */
function cheapest(tally: Tally, pool: Iterable<number>): number[] {
  const { roster, excess } = tally;
  const groups = new Map<number, number[]>();
  for (const row of pool) {
    if (!tally.admitsAdversaries(row)) continue;
    const key = roster.operator[row]! * roster.regions.length + roster.region[row]!;
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  return [...groups.values()].flatMap((group) =>
    group.length <= tally.missing
      ? group
      : group.sort((a, b) => excess[a]! - excess[b]!).slice(0, tally.missing),
  );
}

/** More than all round trips together could ever cost. */
function gainFor(tally: Tally, rows: readonly number[]): number {
  const most = rows.reduce((largest, row) => Math.max(largest, Math.abs(tally.excess[row]!)), 0);
  return 1 + 2 * most * tally.missing;
}

function memo(make: (key: number, row: number) => number): (key: number, row: number) => number {
  const known = new Map<number, number>();
  return (key, row) => {
    const found = known.get(key);
    if (found !== undefined) return found;
    const made = make(key, row);
    known.set(key, made);
    return made;
  };
}

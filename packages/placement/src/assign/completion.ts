import type { Candidate } from '../candidate.ts';
import { continentKey } from '../rules/continent-spread.ts';
import { regionKey } from '../rules/region-spread.ts';
import { FlowNetwork } from './max-flow.ts';
import type { Selection } from './selection.ts';

/**
 * Whether peers for all missing shards can be found among `pool`, exactly. Units flow from operators (as many as each
 * may still get) over peers (one each) to regions (likewise) to continents. First each continent that has nothing yet
 * takes one unit, until enough continents are covered; then the rest follows. Augmenting never takes back what a
 * continent has, so the second phase keeps what the first achieved, and reaches the maximum.
 */
export function canComplete(selection: Selection, pool: readonly Candidate[]): boolean {
  const { missing, missingContinents } = selection;
  if (missing === 0) return missingContinents === 0;
  if (missingContinents > missing) return false;
  const { network, source, sink, open } = build(selection, pool);
  if (network.send(source, sink, missingContinents) < missingContinents) return false;
  for (const widen of open) widen(missing);
  return network.send(source, sink, missing - missingContinents) === missing - missingContinents;
}

function build(selection: Selection, pool: readonly Candidate[]) {
  const network = new FlowNetwork();
  const source = network.addNode();
  const sink = network.addNode();
  const open: ((more: number) => void)[] = [];
  const operators = new Map<string, number>();
  const regions = new Map<string, number>();
  const continents = new Map<string, number>();
  const peers = new Map<string, (more: number) => void>();

  const operatorNode = (operator: string): number =>
    remember(operators, operator, () => {
      const node = network.addNode();
      network.addEdge(source, node, selection.operatorSpare(operator));
      return node;
    });
  const continentNode = (continent: string): number =>
    remember(continents, continent, () => {
      const node = network.addNode();
      open.push(network.addEdge(node, sink, selection.isOnContinent(continent) ? 0 : 1));
      return node;
    });
  const regionNode = (region: string): number =>
    remember(regions, region, () => {
      const node = network.addNode();
      network.addEdge(node, continentNode(continentKey(region)), selection.regionSpare(region));
      return node;
    });
  for (const { operator, region } of pool) {
    const from = operatorNode(operator);
    const to = regionNode(regionKey(region));
    remember(peers, `${from} ${to}`, () => network.addEdge(from, to, 0))(1);
  }
  return { network, source, sink, open };
}

function remember<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

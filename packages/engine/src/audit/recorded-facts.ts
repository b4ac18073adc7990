import type { Catalog, PeerId, PeerView, PlacementRecord, StoredPlacement } from '@holdfast/contracts';
import {
  defaultSettings,
  type PlacementRules,
  type PlacementSettings,
  type Relaxation,
  SOFT_RULES,
  type SoftRule,
} from '@holdfast/placement';

/** Views by number, each read once for all the placements under it. */
export class RecordedViews {
  readonly #catalog: Catalog;
  readonly #views = new Map<number, Promise<ReadonlyMap<PeerId, PeerView>>>();

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  /**
   * Of each holder, past or present, what was known when it got its shard: a shard that moved got its peer later than the
   * rest. Holders of whom no view tells are left out.
   */
  async facts(
    { shards }: StoredPlacement['stripe'],
    holders: readonly { readonly peer: PeerId }[],
    record: PlacementRecord,
  ): Promise<Map<PeerId, PeerView>> {
    const views = [await this.#view(record.view)];
    const moved = new Map<PeerId, PeerView>();
    for (const { index, view } of record.moves) {
      const later = await this.#view(view);
      const fact = later.get(shards[index]!.peer);
      if (fact) moved.set(fact.id, fact);
      views.push(later);
    }
    const known = holders.flatMap(({ peer }) => {
      const fact = moved.get(peer) ?? views.find((view) => view.has(peer))?.get(peer);
      return fact ? [[peer, fact] as const] : [];
    });
    return new Map(known);
  }

  #view(number: number): Promise<ReadonlyMap<PeerId, PeerView>> {
    const known = this.#views.get(number);
    if (known) return known;
    const reading = this.#catalog.swarmView(number).then((peers) => {
      return new Map((peers ?? []).map((peer) => [peer.id, peer]));
    });
    this.#views.set(number, reading);
    return reading;
  }
}

/** The rules that a placement was made under. What this program has and its record lacks is at its default. */
export function recordedRules(
  { k, m, sizeClass }: StoredPlacement['stripe'],
  { policy }: PlacementRecord,
): PlacementRules {
  const defaults = defaultSettings(k);
  const known = Object.entries(defaults).map(([name, standard]) => {
    const value = policy.settings[name];
    return [name, typeof value === typeof standard ? value : standard] as const;
  });
  const settings = Object.fromEntries(known) as unknown as PlacementSettings;
  return { ...settings, off: settings.off.filter(isSoftRule), k, m, copies: 1, shardBytes: sizeClass };
}

export const recordedRelaxations = ({ relaxations }: PlacementRecord): Relaxation[] =>
  relaxations.flatMap(({ rule, reason }) => (isSoftRule(rule) ? [{ rule, reason }] : []));

const isSoftRule = (rule: string): rule is SoftRule => (SOFT_RULES as readonly string[]).includes(rule);

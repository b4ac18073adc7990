import {
  type Catalog,
  HoldfastError,
  type PartitionDependency,
  type PartitionId,
  type PartitionKind,
  type PartitionLabel,
} from '@holdfast/contracts';

/** Of one kind. Each takes 18 bytes in every later snapshot's list of partitions; which others there are, the objects tell. */
const MOST_OF_A_KIND = 64;

const cannotSeparate = (label: string): HoldfastError =>
  new HoldfastError(
    'CONFIG_INVALID',
    `placement.separateSiblings cannot be kept yet for column families: ${label}.`,
    {
      hint: 'Set it to false, or declare no families. Without it a peer may hold a shard of each, and fewer than k of any.',
    },
  );

/** What a partition is, and which others it belongs with. */
export interface Membership {
  readonly kind: PartitionKind;
  readonly dependencies: readonly PartitionDependency[];
}

interface Chapter {
  readonly label: PartitionLabel;
  readonly partitions: PartitionId[];
  /** Numbers of older partitions whose rows stand between rows that are new. */
  readonly bases: Set<number>;
}

/**
 * Who belongs with whom among the partitions of one backup. Dependencies lead only to partitions that were described before:
 * each is written down before its first shard is sent, and never changed.
 */
export class PartitionBook {
  readonly #catalog: Catalog;
  readonly #separateSiblings: boolean;
  readonly #chapters = new Map<string, Chapter>();
  /** What partitions without a label are: filled up with rows of small tables, or by size alone. */
  unlabelled: PartitionKind = 'size';

  constructor(catalog: Catalog, { separateSiblings }: { separateSiblings: boolean }) {
    this.#catalog = catalog;
    this.#separateSiblings = separateSiblings;
  }

  /** New content of the label follows content in that older partition. */
  follows(label: PartitionLabel, base: number): void {
    this.#chapter(label).bases.add(base);
  }

  /**
   * Once for each new partition, before anything of it is sent. CONFIG_INVALID for column families that nobody could keep apart
   * as asked: which older partitions hold the other columns is not recorded.
   */
  async enter(id: PartitionId, label: PartitionLabel | null): Promise<Membership> {
    if (label === null) return { kind: this.unlabelled, dependencies: [] };
    if (this.#separateSiblings && label.group !== null) throw cannotSeparate(label.name);
    const chapter = this.#chapter(label);
    const [first] = chapter.partitions;
    chapter.partitions.push(id);
    const bases = [...chapter.bases].slice(0, MOST_OF_A_KIND);
    const stripes = bases.length > 0 ? await this.#catalog.stripes(bases) : [];
    const dependencies: PartitionDependency[] = [
      ...(first === undefined ? [] : [{ kind: 'part-of' as const, partition: first }]),
      ...stripes.flatMap((base) => (base ? [{ kind: 'follows' as const, partition: base.id }] : [])),
      ...this.#siblings(label).map((partition) => ({ kind: 'sibling-columns' as const, partition })),
    ];
    return { kind: first === undefined ? label.kind : 'size', dependencies };
  }

  /** Of the same rows, other columns. */
  #siblings({ name, group }: PartitionLabel): PartitionId[] {
    if (group === null) return [];
    return [...this.#chapters.values()]
      .filter(({ label }) => label.group === group && label.name !== name)
      .flatMap(({ partitions }) => partitions)
      .slice(-MOST_OF_A_KIND);
  }

  #chapter(label: PartitionLabel): Chapter {
    const known = this.#chapters.get(label.name);
    if (known) return known;
    const chapter = { label, partitions: [], bases: new Set<number>() };
    this.#chapters.set(label.name, chapter);
    return chapter;
  }
}

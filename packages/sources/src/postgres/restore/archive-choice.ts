import { HoldfastError } from '@holdfast/contracts';
import type { SchemaFacts, TableFact } from '../schema-facts.ts';
import type { ArchiveEntry } from './archive-contents.ts';

/** Belong to the table or other object that they depend on, and go wherever it goes. */
const ATTACHED = new Set([
  'ACL',
  'CHECK CONSTRAINT',
  'COMMENT',
  'CONSTRAINT',
  'DEFAULT',
  'FK CONSTRAINT',
  'INDEX',
  'INDEX ATTACH',
  'POLICY',
  'ROW SECURITY',
  'RULE',
  'SECURITY LABEL',
  'SEQUENCE',
  'SEQUENCE OWNED BY',
  'STATISTICS',
  'TABLE ATTACH',
  'TRIGGER',
]);
const TABLES = new Set(['TABLE', 'FOREIGN TABLE']);

export interface ArchiveChoice {
  /** Entries to restore, in the archive's order, which is one in which they can be. */
  readonly ids: readonly number[];
  /** Tables whose rows are wanted, by `schema.name`; the table that was named for each. */
  readonly tables: ReadonlyMap<string, TableFact>;
  /** That are among the entries. */
  readonly extensions: ReadonlySet<string>;
}

export const tableKey = (schema: string, name: string): string => `${schema}\0${name}`;

/**
 * The named tables and what they need: the schema, types, functions, extensions and parents that they depend on; their
 * sequences, defaults, indexes, constraints, triggers, policies, rights and comments, so far as these depend on
 * nothing outside: a foreign key to a table that was not named is left out. And the extensions that the server has.
 */
export function chooseEntries(
  entries: readonly ArchiveEntry[],
  facts: SchemaFacts,
  named: readonly TableFact[],
  available: ReadonlySet<string>,
): ArchiveChoice {
  const graph = new ArchiveGraph(entries, facts);
  const extensions = entries.filter(({ kind }) => kind === 'EXTENSION');
  for (const table of named) graph.choose(table);
  // An exclusion constraint's operators may be an extension's, and the archive does not say so.
  for (const extension of extensions) if (available.has(extensionName(extension))) graph.add(extension.id);
  graph.addAttached();
  const ids = entries.map(({ id }) => id).filter((id) => graph.included.has(id));
  const included = extensions.filter(({ id }) => graph.included.has(id)).map(extensionName);
  return { ids, tables: graph.tables, extensions: new Set(included) };
}

/** Printed with no schema and no owner. */
const extensionName = ({ rest }: ArchiveEntry): string => rest.replace(/^- /, '').trimEnd();

class ArchiveGraph {
  readonly included = new Set<number>();
  readonly tables = new Map<string, TableFact>();
  readonly #entries: ReadonlyMap<number, ArchiveEntry>;
  readonly #facts: SchemaFacts;
  readonly #byTable = new Map<string, ArchiveEntry>();
  readonly #tableOf = new Map<number, TableFact>();

  constructor(entries: readonly ArchiveEntry[], facts: SchemaFacts) {
    this.#entries = new Map(entries.map((entry) => [entry.id, entry]));
    this.#facts = facts;
    for (const table of facts.tables) this.#find(table);
  }

  /** A partitioned table is chosen with its partitions. */
  choose(table: TableFact, named: TableFact = table): void {
    const key = tableKey(table.schema, table.name);
    const entry = this.#byTable.get(key);
    if (entry === undefined)
      throw new HoldfastError(
        'FORMAT_INVALID',
        `The schema’s archive lacks table ${table.schema}.${table.name}`,
      );
    if (this.tables.has(key)) return;
    this.tables.set(key, named);
    this.add(entry.id);
    for (const partition of this.#partitionsOf(entry.id)) this.choose(partition, named);
  }

  addAttached(): void {
    for (let before = -1; before !== this.included.size; ) {
      before = this.included.size;
      for (const entry of this.#entries.values()) if (this.#belongs(entry)) this.add(entry.id);
    }
  }

  #belongs(entry: ArchiveEntry): boolean {
    if (!ATTACHED.has(entry.kind) || this.included.has(entry.id)) return false;
    const subjects = entry.dependsOn.filter(
      (id) => this.#entries.get(id)?.kind !== 'SCHEMA' || isNote(entry),
    );
    return (
      subjects.some((id) => this.included.has(id)) &&
      this.#tablesBelow(entry.id).every((id) => this.included.has(id))
    );
  }

  add(id: number): void {
    const entry = this.#entries.get(id);
    if (entry === undefined || this.included.has(id)) return;
    this.included.add(id);
    for (const other of entry.dependsOn) this.add(other);
  }

  #tablesBelow(start: number): number[] {
    const seen = new Set<number>();
    const pending = [start];
    for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
      if (seen.has(id)) continue;
      seen.add(id);
      pending.push(...(this.#entries.get(id)?.dependsOn ?? []));
    }
    return [...seen].filter((id) => TABLES.has(this.#entries.get(id)?.kind ?? ''));
  }

  #partitionsOf(parent: number): TableFact[] {
    const attached = [...this.#entries.values()].filter(
      (entry) => entry.kind === 'TABLE ATTACH' && entry.dependsOn.includes(parent),
    );
    // The partition is the one that depends on the other.
    return attached
      .flatMap(({ dependsOn }) => dependsOn)
      .filter((id) => id !== parent && this.#entries.get(id)?.dependsOn.includes(parent))
      .flatMap((id) => this.#tableOf.get(id) ?? []);
  }

  /** By the text that the listing has; with spaces in names, the owner has to decide. */
  #find(table: TableFact): void {
    const start = `${printed(table.schema)} ${printed(table.name)} `;
    const found = [...this.#entries.values()].filter(
      ({ kind, rest }) => TABLES.has(kind) && rest.startsWith(start),
    );
    const sure = found.filter(({ rest }) => this.#facts.roles.includes(rest.slice(start.length)));
    const entry = found.length > 1 ? sure[0] : found[0];
    if (entry === undefined) return;
    this.#byTable.set(tableKey(table.schema, table.name), entry);
    this.#tableOf.set(entry.id, table);
  }
}

const isNote = ({ kind }: ArchiveEntry): boolean =>
  kind === 'COMMENT' || kind === 'ACL' || kind === 'SECURITY LABEL';

const printed = (name: string): string => name.replace(/[\r\n]/g, ' ');

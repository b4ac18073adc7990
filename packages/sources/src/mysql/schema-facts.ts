import { HoldfastError } from '@holdfast/contracts';

/** What creates a database, but for its rows: content of the objects below `1-schema`. Sinks must not trust it. */
export interface TableDefinition {
  readonly name: string;
  /** As SHOW CREATE TABLE writes it, without the counter. */
  readonly create: string;
}

/** A view, routine, trigger or event, with the session that its text is to be read in. */
export interface ProgramDefinition {
  readonly kind: 'view' | 'function' | 'procedure' | 'package' | 'package body' | 'trigger' | 'event';
  readonly name: string;
  readonly create: string;
  readonly sqlMode: string | null;
  readonly characterSetClient: string;
  readonly collationConnection: string;
  /** The database's, as it was at its creation; null where it does not matter. */
  readonly databaseCollation: string | null;
  /** Events alone. */
  readonly timeZone: string | null;
}

export interface Definitions {
  readonly tables: readonly TableDefinition[];
  readonly sequences: readonly TableDefinition[];
  readonly programs: readonly ProgramDefinition[];
  /** Views that the server could not use, so that nothing could make them again: for people to read. */
  readonly broken: readonly TableDefinition[];
}

export interface FactsTable {
  readonly name: string;
  readonly engine: string;
  readonly versioned: boolean;
  readonly families: Readonly<Record<string, readonly string[]>>;
  readonly time: { readonly column: string; readonly window: string } | null;
}

/** Content of `1-schema/facts`. */
export interface SchemaFacts {
  readonly serverVersion: string;
  readonly mariadb: boolean;
  readonly database: string;
  readonly charset: string;
  readonly collation: string;
  readonly tables: readonly FactsTable[];
}

/** Content of `4-sequences`. Numbers are text, as a double does not hold them. */
export interface Counters {
  readonly autoIncrement: readonly { readonly table: string; readonly next: string }[];
  readonly sequences: readonly { readonly name: string; readonly next: string; readonly round: string }[];
}

const KINDS = ['view', 'function', 'procedure', 'package', 'package body', 'trigger', 'event'] as const;

export const jsonBytes = (value: unknown): Uint8Array =>
  Buffer.from(`${JSON.stringify(value, null, 1)}\n`, 'utf8');

/** FORMAT_INVALID. */
export const parseDefinitions = (bytes: Uint8Array): Definitions =>
  parsed(bytes, '1-schema/definitions', (root) => ({
    tables: root.list('tables', tableOf),
    sequences: root.list('sequences', tableOf),
    programs: root.list('programs', (each) => ({
      kind: each.word('kind', KINDS),
      name: each.text('name'),
      create: each.text('create'),
      sqlMode: each.textOrNull('sqlMode'),
      characterSetClient: each.text('characterSetClient'),
      collationConnection: each.text('collationConnection'),
      databaseCollation: each.textOrNull('databaseCollation'),
      timeZone: each.textOrNull('timeZone'),
    })),
    broken: root.list('broken', tableOf),
  }));

/** FORMAT_INVALID. */
export const parseFacts = (bytes: Uint8Array): SchemaFacts =>
  parsed(bytes, '1-schema/facts', (root) => ({
    serverVersion: root.text('serverVersion'),
    mariadb: root.flag('mariadb'),
    database: root.text('database'),
    charset: root.text('charset'),
    collation: root.text('collation'),
    tables: root.list('tables', (each) => ({
      name: each.text('name'),
      engine: each.text('engine'),
      versioned: each.flag('versioned'),
      families: each.lists('families'),
      time: each.orNull('time', (time) => ({ column: time.text('column'), window: time.text('window') })),
    })),
  }));

/** FORMAT_INVALID. */
export const parseCounters = (bytes: Uint8Array): Counters =>
  parsed(bytes, '4-sequences', (root) => ({
    autoIncrement: root.list('autoIncrement', (each) => ({
      table: each.text('table'),
      next: each.number('next'),
    })),
    sequences: root.list('sequences', (each) => ({
      name: each.text('name'),
      next: each.number('next'),
      round: each.number('round'),
    })),
  }));

const tableOf = (each: Reader): TableDefinition => ({ name: each.text('name'), create: each.text('create') });

/** Reads fields of an object that may be anything. */
class Reader {
  readonly #value: Readonly<Record<string, unknown>>;
  readonly #where: string;

  constructor(value: unknown, where: string) {
    this.#where = where;
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw this.#refuse('is no object');
    this.#value = value as Record<string, unknown>;
  }

  text(key: string): string {
    const value = this.#value[key];
    if (typeof value !== 'string' || value.includes('\0')) throw this.#refuse(`${key} is no text`);
    return value;
  }

  textOrNull(key: string): string | null {
    return this.#value[key] === null ? null : this.text(key);
  }

  flag(key: string): boolean {
    const value = this.#value[key];
    if (typeof value !== 'boolean') throw this.#refuse(`${key} is no boolean`);
    return value;
  }

  number(key: string): string {
    const text = this.text(key);
    if (!/^-?\d{1,20}$/.test(text)) throw this.#refuse(`${key} is no integer`);
    return text;
  }

  word<T extends string>(key: string, words: readonly T[]): T {
    const word = words.find((each) => each === this.#value[key]);
    if (word === undefined) throw this.#refuse(`${key} is none of ${words.join(', ')}`);
    return word;
  }

  list<T>(key: string, read: (each: Reader) => T): T[] {
    const value = this.#value[key];
    if (!Array.isArray(value)) throw this.#refuse(`${key} is no list`);
    return value.map((each, i) => read(new Reader(each, `${this.#where}.${key}[${i}]`)));
  }

  lists(key: string): Record<string, string[]> {
    const reader = new Reader(this.#value[key], `${this.#where}.${key}`);
    return Object.fromEntries(
      Object.keys(reader.#value).map((name) => {
        const list = reader.#value[name];
        const texts = Array.isArray(list) && list.every((each) => typeof each === 'string');
        if (!texts) throw reader.#refuse(`${name} is no list of names`);
        return [name, list as string[]];
      }),
    );
  }

  orNull<T>(key: string, read: (each: Reader) => T): T | null {
    const value = this.#value[key];
    return value === null ? null : read(new Reader(value, `${this.#where}.${key}`));
  }

  #refuse(reason: string): HoldfastError {
    return new HoldfastError('FORMAT_INVALID', `${this.#where}: ${reason}`);
  }
}

function parsed<T>(bytes: Uint8Array, what: string, read: (root: Reader) => T): T {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(bytes)));
  } catch (error) {
    throw new HoldfastError('FORMAT_INVALID', `${what} is no JSON`, { cause: error });
  }
  return read(new Reader(value, what));
}

import { HoldfastError } from '@holdfast/contracts';

/** What the object `1-schema/facts` holds, as JSON: what a restore must know beside the archive. */
export interface SchemaFacts {
  /** `server_version_num`. */
  readonly serverVersion: number;
  readonly encoding: string;
  readonly collation: string;
  readonly extensions: readonly ExtensionFact[];
  /** All that owners and grants name, ascending. */
  readonly roles: readonly string[];
  /** The populated ones, in an order in which they can be refreshed. */
  readonly materializedViews: readonly NamedObject[];
  readonly publications: readonly string[];
  readonly largeObjects: readonly LargeObjectFact[];
  readonly tables: readonly TableFact[];
}

export interface NamedObject {
  readonly schema: string;
  readonly name: string;
}

export interface ExtensionFact {
  readonly name: string;
  readonly version: string;
  readonly schema: string;
}

export interface LargeObjectFact {
  readonly oid: number;
  readonly owner: string;
  /** `aclitem[]` as text; null: the owner's alone. */
  readonly acl: string | null;
  readonly comment: string | null;
}

export interface TableFact extends NamedObject {
  /** As `pg_class.relkind`. */
  readonly kind: string;
  /** Columns GENERATED ALWAYS AS IDENTITY. */
  readonly identityAlways: readonly string[];
  readonly families: Readonly<Record<string, readonly string[]>>;
  readonly time: { readonly column: string; readonly window: string } | null;
}

export interface SequenceFact extends NamedObject {
  /** Decimal. */
  readonly last: string;
  /** Whether `last` has been handed out. */
  readonly called: boolean;
}

type Check<T> = (value: unknown, at: string) => T;

const refuse = (at: string, what: string): never => {
  throw new HoldfastError('FORMAT_INVALID', `The facts of a PostgreSQL database: ${at} is not ${what}`);
};

const text: Check<string> = (value, at) => (typeof value === 'string' ? value : refuse(at, 'text'));
const flag: Check<boolean> = (value, at) =>
  typeof value === 'boolean' ? value : refuse(at, 'true or false');
const whole: Check<number> = (value, at) =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : refuse(at, 'a whole number');
const integer: Check<string> = (value, at) =>
  /^-?[0-9]{1,19}$/.test(text(value, at)) ? (value as string) : refuse(at, 'an integer');

const orNull =
  <T>(check: Check<T>): Check<T | null> =>
  (value, at) =>
    value === null ? null : check(value, at);

const list =
  <T>(check: Check<T>): Check<T[]> =>
  (value, at) =>
    Array.isArray(value) ? value.map((each, i) => check(each, `${at}[${i}]`)) : refuse(at, 'a list');

const object = (value: unknown, at: string): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : refuse(at, 'an object');

const record =
  <T>(fields: { [K in keyof T]: Check<T[K]> }): Check<T> =>
  (value, at) => {
    const given = object(value, at);
    const entries = Object.entries<Check<unknown>>(fields as Record<string, Check<unknown>>);
    return Object.fromEntries(
      entries.map(([name, check]) => [name, check(given[name], `${at}.${name}`)]),
    ) as T;
  };

const mapOf =
  <T>(check: Check<T>): Check<Record<string, T>> =>
  (value, at) =>
    Object.fromEntries(
      Object.entries(object(value, at)).map(([name, each]) => [name, check(each, `${at}.${name}`)]),
    );

const named = { schema: text, name: text };

const facts = record<SchemaFacts>({
  serverVersion: whole,
  encoding: text,
  collation: text,
  extensions: list(record<ExtensionFact>({ name: text, version: text, schema: text })),
  roles: list(text),
  materializedViews: list(record<NamedObject>(named)),
  publications: list(text),
  largeObjects: list(
    record<LargeObjectFact>({ oid: whole, owner: text, acl: orNull(text), comment: orNull(text) }),
  ),
  tables: list(
    record<TableFact>({
      ...named,
      kind: text,
      identityAlways: list(text),
      families: mapOf(list(text)),
      time: orNull(record<{ column: string; window: string }>({ column: text, window: text })),
    }),
  ),
});

const sequences = list(record<SequenceFact>({ ...named, last: integer, called: flag }));

export const encodeFacts = (value: SchemaFacts): Buffer => Buffer.from(JSON.stringify(value));
export const encodeSequences = (value: readonly SequenceFact[]): Buffer => Buffer.from(JSON.stringify(value));

/** FORMAT_INVALID. */
export const parseFacts = (bytes: Uint8Array): SchemaFacts => facts(parsed(bytes), 'facts');

/** FORMAT_INVALID. */
export const parseSequences = (bytes: Uint8Array): SequenceFact[] => sequences(parsed(bytes), 'sequences');

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new HoldfastError('FORMAT_INVALID', 'The facts of a PostgreSQL database are not JSON', { cause });
  }
}

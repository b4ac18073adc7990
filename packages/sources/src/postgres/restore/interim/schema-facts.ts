import { HoldfastError } from '@holdfast/contracts';

/** What a PostgreSQL database is beside its schema and rows: the object `1-schema/facts`, JSON. */
export interface SchemaFacts {
  /** `server_version_num`: 150004 is 15.4. */
  readonly serverVersion: number;
  readonly encoding: string;
  readonly collation: string;
  readonly extensions: readonly { name: string; version: string; schema: string }[];
  /** All that owners and grants name. */
  readonly roles: readonly string[];
  /** Populated ones, each after those it reads. */
  readonly materializedViews: readonly { schema: string; name: string }[];
  readonly publications: readonly string[];
  readonly largeObjects: readonly LargeObjectFacts[];
  readonly tables: readonly TableFacts[];
}

export interface LargeObjectFacts {
  readonly oid: number;
  readonly owner: string;
  /** `aclitem[]` as text; null is the default. */
  readonly acl: string | null;
  readonly comment: string | null;
}

export interface TableFacts {
  readonly schema: string;
  readonly name: string;
  /** `relkind`: r, p, f. */
  readonly kind: string;
  readonly identityAlways: readonly string[];
  /** Names of columns by the name of their family. */
  readonly families: Readonly<Record<string, readonly string[]>>;
  readonly time: { column: string; window: string } | null;
}

/** FORMAT_INVALID. */
export function parseSchemaFacts(bytes: Uint8Array): SchemaFacts {
  const facts = parseJson(bytes, '1-schema/facts') as SchemaFacts;
  const ok =
    typeof facts === 'object' &&
    facts !== null &&
    Number.isInteger(facts.serverVersion) &&
    typeof facts.encoding === 'string' &&
    typeof facts.collation === 'string' &&
    [facts.extensions, facts.roles, facts.materializedViews, facts.largeObjects, facts.tables].every(
      Array.isArray,
    );
  if (!ok) throw new HoldfastError('FORMAT_INVALID', '1-schema/facts does not hold what it should');
  return facts;
}

/** FORMAT_INVALID. */
export function parseJson(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new HoldfastError('FORMAT_INVALID', `${what} is not JSON`, { cause });
  }
}

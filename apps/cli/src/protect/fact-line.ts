import type { Attributes, AttributeValue } from '@holdfast/contracts';
import { z } from 'zod';

/** What a stored snapshot is good for: the attributes of its `label` (a base) or of itself (WAL). */
export interface SnapshotFacts {
  readonly id: string;
  readonly kind: string;
  readonly attributes: Attributes;
}

/** What JSON does not know: `{"bytes": base64}`, `{"integer": decimal}`. */
const value = z.union([
  z.string(),
  z.number(),
  z.boolean(),
  z.null(),
  z
    .strictObject({ bytes: z.base64() })
    .transform(({ bytes }) => new Uint8Array(Buffer.from(bytes, 'base64'))),
  z.strictObject({ integer: z.string().regex(/^-?\d{1,20}$/) }).transform(({ integer }) => BigInt(integer)),
]);

const line = z.object({ id: z.string(), kind: z.string(), attributes: z.record(z.string(), value) });

export function factLine({ id, kind, attributes }: SnapshotFacts): string {
  const members = Object.entries(attributes).map(([name, member]) => [name, written(member)]);
  return `${JSON.stringify({ id, kind, attributes: Object.fromEntries(members) })}\n`;
}

/** Null for what is no such line: the writer was killed in the middle of it, or somebody edited the file. */
export function parseFactLine(text: string): SnapshotFacts | null {
  try {
    return line.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

function written(member: AttributeValue): unknown {
  if (typeof member === 'bigint') return { integer: member.toString() };
  if (member instanceof Uint8Array) return { bytes: Buffer.from(member).toString('base64') };
  return member;
}

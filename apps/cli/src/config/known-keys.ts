import { z } from 'zod';

/** The keys that the schema allows at `path`, given the value found there; empty when the path leads nowhere. */
export function knownKeys(
  schema: z.ZodType,
  path: readonly PropertyKey[],
  value: unknown,
): readonly string[] {
  const here = bare(schema, value);
  const [step, ...rest] = path;
  if (step === undefined) return here instanceof z.ZodObject ? Object.keys(here.shape) : [];
  const below = typeof value === 'object' && value !== null ? Reflect.get(value, step) : undefined;
  const next = child(here, step);
  return next ? knownKeys(next, rest, below) : [];
}

function child(schema: z.ZodType, step: PropertyKey): z.ZodType | undefined {
  if (schema instanceof z.ZodObject) return schema.shape[String(step)];
  if (schema instanceof z.ZodRecord) return schema.valueType as z.ZodType;
  if (schema instanceof z.ZodArray) return schema.element as z.ZodType;
  return undefined;
}

/** Without what wraps it (defaults, transforms); of a union the member that the value says it is. */
function bare(schema: z.ZodType, value: unknown): z.ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    return bare(schema.unwrap() as z.ZodType, value);
  }
  if (schema instanceof z.ZodPipe) {
    // What is preprocessed is an unknown going in, and an object behind that.
    const side = schema.in instanceof z.ZodTransform ? schema.out : schema.in;
    return bare(side as z.ZodType, value);
  }
  if (schema instanceof z.ZodDiscriminatedUnion) {
    const members = schema.options as readonly z.ZodObject[];
    const kind = typeof value === 'object' && value !== null ? Reflect.get(value, 'kind') : undefined;
    return members.find((member) => member.shape.kind?.safeParse(kind).success) ?? schema;
  }
  return schema;
}

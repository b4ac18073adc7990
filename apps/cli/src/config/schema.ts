import { HoldfastError } from '@holdfast/contracts';
import { clayGeometry } from '@holdfast/erasure/clay-shape';
import { z } from 'zod';
import { mysqlSchema, postgresSchema } from './database-schema.ts';
import { duration } from './duration-schema.ts';
import { contradictions, placementSchema } from './placement-schema.ts';
import { recurring } from './recurring-schema.ts';

/** Names appear in commands, file names and tables: short, and nothing that a shell would touch. */
export const SOURCE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

const sourceName = z
  .string()
  .regex(SOURCE_NAME, 'a source name has up to 64 letters, digits, dots, dashes and underscores');

const path = z.string().min(1).max(4096);

const sqlite = z.strictObject({ kind: z.literal('sqlite'), path, ...recurring });

const tree = z.strictObject({
  kind: z.literal('tree'),
  path,
  exclude: z.array(z.string().min(1).max(4096)).max(1000).default([]),
  oneFileSystem: z.boolean().default(false),
  ...recurring,
});

/** `name` is what the stream's object is called in listings. Nobody would write to it from within the agent. */
const stdin = z.strictObject({ kind: z.literal('stdin'), name: z.string().min(1).max(255).default('stdin') });

export const sourceSchema = z.discriminatedUnion('kind', [sqlite, tree, stdin, postgresSchema, mysqlSchema]);

interface CodeShape {
  readonly k: number;
  readonly m: number;
  readonly helpers: number;
}

/** Null for plain Reed–Solomon and for a Clay code that exists; else what is wrong, and what there is. */
export function helpersProblem(shape: CodeShape): string | null {
  const { k, m, helpers } = shape;
  if (helpers === 0 || k + m > 255) return null;
  const problem = clayProblem(shape);
  if (problem === null) return null;
  const others = Array.from({ length: m - 1 }, (_, i) => k + 1 + i);
  const possible = others.filter((other) => clayProblem({ k, m, helpers: other }) === null);
  return `${problem} Possible for ${k} + ${m}: ${[...possible, 0].join(', ')}.`;
}

function clayProblem(shape: CodeShape): string | null {
  try {
    clayGeometry(shape);
    return null;
  } catch (error) {
    if (HoldfastError.is(error)) return error.message;
    throw error;
  }
}

const policy = z
  .strictObject({
    version: z.int().min(1).max(65_535).default(1),
    k: z.int().min(2).max(200).default(4),
    m: z.int().min(1).max(200).default(2),
    helpers: z.int().min(0).max(254).default(0),
    maxPerOperator: z.int().min(1).max(199).optional(),
    compressionLevel: z.int().min(0).max(19).default(1),
    leaseDays: z.int().min(1).max(3650).default(90),
  })
  .superRefine((value, context) => {
    if (value.k + value.m > 255)
      context.addIssue({ code: 'custom', path: ['k'], message: 'k + m must not exceed 255' });
    if (value.maxPerOperator !== undefined && value.maxPerOperator > value.k - 1) {
      const message = `must not exceed k − 1 = ${value.k - 1}: one operator could rebuild partitions alone`;
      context.addIssue({ code: 'custom', path: ['maxPerOperator'], message });
    }
    const problem = helpersProblem(value);
    if (problem !== null) context.addIssue({ code: 'custom', path: ['helpers'], message: problem });
  })
  .transform((value) => ({
    ...value,
    maxPerOperator: value.maxPerOperator ?? defaultMaxPerOperator(value.k, value.m),
  }));

const network = z.strictObject({
  requestTimeout: duration.prefault('30s'),
  probeTimeout: duration.prefault('3s'),
});

const agent = z.strictObject({ grace: duration.prefault('30s') });

const performance = z.strictObject({ workers: z.int().min(1).max(256).optional() });

/** The whole of holdfast.yaml. Every object is strict: an unknown key is a setting that would not be honoured. */
export const configSchema = z
  .strictObject({
    version: z.literal(1),
    policy: policy.prefault({}),
    placement: placementSchema.prefault({}),
    sources: z.record(sourceName, sourceSchema).prefault({}),
    network: network.prefault({}),
    agent: agent.prefault({}),
    performance: performance.prefault({}),
  })
  .superRefine(({ sources }, context) => {
    for (const { path, message } of protectedNames(sources)) {
      context.addIssue({ code: 'custom', path: [...path], message });
    }
  })
  .superRefine(({ placement, policy: { version, k, m } }, context) => {
    for (const { path, message } of contradictions(placement, { version, k, m })) {
      context.addIssue({ code: 'custom', path: [...path], message });
    }
  });

/** Protected sources have snapshots under two further names, which must be theirs alone. */
function protectedNames(
  sources: Readonly<Record<string, z.output<typeof sourceSchema>>>,
): { path: string[]; message: string }[] {
  const names = Object.entries(sources).flatMap(([name, source]) =>
    source.kind === 'postgres' && source.protect ? [name] : [],
  );
  return names.flatMap((name) => {
    const taken = [`${name}.base`, `${name}.wal`].filter((other) => Object.hasOwn(sources, other));
    const clashes = taken.map((other) => ({
      path: ['sources', other],
      message: `the name is taken: "${name}" is under continuous protection, whose snapshots are called "${name}.base" and "${name}.wal"`,
    }));
    const long = {
      path: ['sources', name],
      message: 'the name of a protected source has up to 59 characters',
    };
    return name.length > 59 ? [...clashes, long] : clashes;
  });
}

export type Config = z.output<typeof configSchema>;
export type SourceConfig = z.output<typeof sourceSchema>;
export type PolicyConfig = Config['policy'];

/**
 * k − 1 is the promise's hard limit; m on top of that lets any one operator vanish whole without losing a
 * partition, which is the accident to be expected first.
 */
export function defaultMaxPerOperator(k: number, m: number): number {
  return Math.max(1, Math.min(k - 1, m));
}

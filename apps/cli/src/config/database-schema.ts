import { z } from 'zod';
import { parseBytes } from '../units/bytes.ts';
import { databaseDrillSchema } from './drill-schema.ts';
import { duration } from './duration-schema.ts';
import { recurring } from './recurring-schema.ts';
import { scheduleSchema } from './schedule-schema.ts';

const path = z.string().min(1).max(4096);
const name = z.string().min(1).max(255);
/** `messages`, `public.messages`, `public.*`. */
const pattern = z.string().min(1).max(520);

export const TIME_WINDOWS = ['month', 'week', 'day'] as const;

const tls = z.strictObject({
  mode: z.enum(['disable', 'prefer', 'require', 'verify-full']).default('prefer'),
  ca: path.optional(),
});

/** A server's address, and who asks. Passwords are never written here: only where they are found. */
const server = {
  host: z.string().min(1).max(1024).optional(),
  port: z.int().min(1).max(65_535).optional(),
  user: name.optional(),
  passwordFile: path.optional(),
  passwordEnv: z
    .string()
    .regex(/^[A-Za-z_]\w*$/, 'the name of an environment variable')
    .optional(),
  tls: tls.prefault({}),
};

const timeColumn = z
  .union([
    name.transform((column) => ({ column })),
    z.strictObject({ column: name, window: z.enum(TIME_WINDOWS).optional() }),
  ])
  .transform(({ column, ...rest }) => ({ column, window: 'month' as const, ...rest }));

/** How tables are read, and which. */
const tables = {
  database: name,
  connections: z.int().min(1).max(32).default(2),
  include: z.array(pattern).min(1).max(10_000).optional(),
  exclude: z.array(pattern).max(10_000).default([]),
  families: z.record(pattern, z.record(name, z.array(name).min(1).max(1600))).default({}),
  time: z.record(pattern, timeColumn).default({}),
};

const onePassword = (
  { passwordFile, passwordEnv }: { passwordFile?: string | undefined; passwordEnv?: string | undefined },
  context: z.RefinementCtx,
): void => {
  if (passwordFile === undefined || passwordEnv === undefined) return;
  const message = 'is set beside passwordFile: the password comes from one place';
  context.addIssue({ code: 'custom', path: ['passwordEnv'], message });
};

const bytes = z.union([z.int().min(0), z.string()]).transform((value, context) => {
  try {
    return typeof value === 'number' ? value : parseBytes(value);
  } catch {
    context.addIssue({
      code: 'custom',
      message: `"${value}" is not a size: write a number and a unit, such as 20GiB`,
    });
    return z.NEVER;
  }
});

/** Continuous protection: a base snapshot now and then, and the server's log all the time. */
const protect = z.strictObject({
  base: scheduleSchema.prefault({ every: '7d' }),
  maxLag: duration.prefault('30s'),
  warnBytes: bytes.optional(),
  dropBytes: bytes.optional(),
  slot: z
    .string()
    .regex(/^[a-z0-9_]{1,63}$/, 'a slot has up to 63 lower-case letters, digits and underscores')
    .optional(),
  checkpoint: z.enum(['fast', 'spread']).default('spread'),
});
export type ProtectConfig = z.output<typeof protect>;

export const postgresSchema = z
  .strictObject({
    kind: z.literal('postgres'),
    ...server,
    ...tables,
    ...recurring,
    drill: databaseDrillSchema.optional(),
    /** Rows are not read where the server proves that they are the ones of before: docs/decisions/0017-postgres-rows.md. */
    skipUnchanged: z.boolean().default(false),
    protect: protect.optional(),
  })
  .superRefine(onePassword);

export const mysqlSchema = z
  .strictObject({
    kind: z.literal('mysql'),
    ...server,
    ...tables,
    ...recurring,
    drill: databaseDrillSchema.optional(),
    /** What to do about tables that a snapshot cannot hold still. */
    nonTransactional: z.enum(['refuse', 'lock', 'allow']).default('refuse'),
  })
  .superRefine(onePassword);

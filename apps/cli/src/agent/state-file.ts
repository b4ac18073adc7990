import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Random } from '@holdfast/contracts';
import { z } from 'zod';
import { writeDurably } from '../vault/durable-file.ts';
import { vaultLayout } from '../vault/layout.ts';

const moment = z.number().int();
const turn = { slot: moment, attempt: z.int().min(0), late: z.boolean() };

const savedTask = z.object({
  schedule: z.string(),
  settled: moment,
  pending: z.object({ ...turn, order: z.int() }).nullable(),
  running: z.object(turn).nullable(),
  retry: z.object({ ...turn, at: moment, wait: z.number().min(0) }).nullable(),
  next: moment.nullable(),
  record: z.object({
    since: moment,
    lastStart: moment.nullable(),
    lastSuccess: z.object({ startedAt: moment, endedAt: moment, snapshot: z.string().nullable() }).nullable(),
    lastFailure: z
      .object({
        startedAt: moment,
        endedAt: moment,
        code: z.string(),
        message: z.string(),
        hint: z.string().nullable(),
      })
      .nullable(),
    failures: z.int().min(0),
  }),
});

const savedState = z.object({
  version: z.literal(1),
  /** What jitter is drawn from, in hexadecimal. */
  seed: z.string().regex(/^[0-9a-f]{32}$/),
  tasks: z.record(z.string(), savedTask),
});

export type SavedState = z.output<typeof savedState>;
export type SavedTaskRecord = z.output<typeof savedTask>;

export const statePath = (vault: string): string => join(vaultLayout(vault).agent, 'state.json');

export const freshState = (random: Random): SavedState => ({
  version: 1,
  seed: Buffer.from(random.bytes(16)).toString('hex'),
  tasks: {},
});

export interface ReadState {
  /** Null when there is none, or none that can be understood. */
  readonly state: SavedState | null;
  /** Why it cannot be understood. */
  readonly damage: string | null;
}

/** Nothing in it is worth a failure: without it the agent begins as if for the first time. */
export async function readState(vault: string): Promise<ReadState> {
  let text: string;
  try {
    text = await readFile(statePath(vault), 'utf8');
  } catch (error) {
    const absent = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    return { state: null, damage: absent ? null : String(error) };
  }
  const parsed = savedState.safeParse(jsonOf(text));
  if (parsed.success) return { state: parsed.data, damage: null };
  const [issue] = parsed.error.issues;
  return { state: null, damage: `${issue?.path.join('.') || 'the file'}: ${issue?.message ?? 'invalid'}` };
}

/** Puts a file aside that was not understood, for whoever wants to know why. */
export async function setAside(vault: string): Promise<void> {
  await rename(statePath(vault), `${statePath(vault)}.damaged`);
}

/** What writers left behind that were killed. Only for the one agent. */
export async function removeLeftovers(vault: string): Promise<void> {
  const { agent } = vaultLayout(vault);
  const left = (await readdir(agent)).filter((name) => /^\.state\.json\.\d+\.partial$/.test(name));
  for (const name of left) await rm(join(agent, name), { force: true });
}

/** Either the old or the new one is there, whatever happens. TARGET_UNWRITABLE, DISK_FULL. */
export async function writeState(vault: string, state: SavedState): Promise<void> {
  await mkdir(vaultLayout(vault).agent, { recursive: true, mode: 0o700 });
  await writeDurably(statePath(vault), `${JSON.stringify(state, null, 2)}\n`);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

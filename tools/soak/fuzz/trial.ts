import { getHeapStatistics } from 'node:v8';
import { isRefusal, type Target, Violation } from './target.ts';

export type Verdict = 'accepted' | 'refused';

/** A decoder that computes longer for one input could be used to hold up a process. */
const SLOW_MS = 1000;
/** Garbage collection blurs what one attempt takes: only what holds for all of these counts. */
const CONFIRMATIONS = 3;
/** Around the input, so that a decoder that takes its whole buffer for it would show. */
const MARGIN = 5;
const MARGIN_BYTE = 0xa5;

/** Runs one input against a target and all that it promises; throws what was broken. */
export async function trial(
  target: Target,
  input: Uint8Array,
  { timed = true }: { readonly timed?: boolean } = {},
): Promise<Verdict> {
  const excess = (spent: Spent) => (timed && slow(target, spent)) || large(target, input, spent);
  let spent = await measured(target, input);
  for (let i = 1; i < CONFIRMATIONS && excess(spent) !== null; i++) {
    const again = await measured(target, input);
    spent = {
      verdict: again.verdict,
      milliseconds: Math.min(spent.milliseconds, again.milliseconds),
      bytes: Math.min(spent.bytes, again.bytes),
    };
  }
  const broken = excess(spent);
  if (broken !== null) throw new Violation(broken);
  return spent.verdict;
}

interface Spent {
  readonly verdict: Verdict;
  /** Of computing, so that other processes do not count. */
  readonly milliseconds: number;
  /** Negative when garbage was collected meanwhile. */
  readonly bytes: number;
}

/** What are no decoders do much more in one attempt than any input asks for. */
const slow = ({ guided }: Target, { milliseconds }: Spent): string | null =>
  guided !== false && milliseconds > SLOW_MS ? `It takes ${Math.round(milliseconds)} ms.` : null;

function large({ allocation }: Target, { length }: Uint8Array, { bytes }: Spent): string | null {
  if (allocation === undefined || bytes <= allocation.base + allocation.perByte * length) return null;
  return `It allocates ${bytes} bytes for ${length}.`;
}

async function measured(target: Target, input: Uint8Array): Promise<Spent> {
  const around = Buffer.from(new ArrayBuffer(input.length + 2 * MARGIN)).fill(MARGIN_BYTE);
  around.set(input, MARGIN);
  const before = Buffer.from(around);
  const lent = new Uint8Array(around.buffer, MARGIN, input.length);
  const heap = allocated();
  const start = process.cpuUsage();
  let result: unknown;
  let verdict: Verdict = 'accepted';
  try {
    result = target.attempt(lent);
    if (result instanceof Promise) result = await result;
  } catch (error) {
    if (!isRefusal(target, error)) throw error;
    verdict = 'refused';
  }
  const { user, system } = process.cpuUsage(start);
  const milliseconds = (user + system) / 1000;
  const bytes = allocated() - heap;
  if (!around.equals(before)) throw new Violation('It changes its input.');
  // What it gave must stand by itself: the input belongs to the caller again.
  around.fill(0xff);
  if (verdict === 'accepted') await target.confirm?.(result as never, Uint8Array.from(input));
  return { verdict, milliseconds, bytes };
}

function allocated(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}

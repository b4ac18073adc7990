import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as Threads from 'node:worker_threads';
import { type Death, type Fate, POINTS, type Point } from './deaths.ts';

/** Room for the production thread, and soon full. */
const HEAP_MB = 64;

let deaths: readonly Death[] = [];
let counts = new SharedArrayBuffer(0);
let started = 0;
let running = 0;
const ledger = join(tmpdir(), `holdfast-ledger-${process.pid}-${process.hrtime.bigint()}`);

/** From now on threads die like this. The first to be started has number 0. */
export function fate(...next: readonly Death[]): void {
  deaths = next;
  counts = new SharedArrayBuffer(4 * POINTS.length);
  started = 0;
}

/** How often threads came there since `fate` was called. */
export const passed = (point: Point): number => new Int32Array(counts)[POINTS.indexOf(point)]!;

export const threadsStarted = (): number => started;
export const threadsRunning = (): number => running;

/** Keys that sealed two different things, dead threads included; forgets what it has looked at. */
export function keysUsedTwice(): string[] {
  const sealed = new Map<string, string>();
  const twice: string[] = [];
  for (const line of readFileSync(ledger, 'utf8').trim().split('\n')) {
    const [piece, hash] = line.split(' ') as [string, string];
    if ((sealed.get(piece) ?? hash) !== hash) twice.push(piece);
    sealed.set(piece, hash);
  }
  rmSync(ledger);
  return twice;
}

/** In place of node:worker_threads. */
export function mortal(threads: typeof Threads): typeof Threads {
  class MortalWorker extends threads.Worker {
    constructor(_: string | URL, options: Threads.WorkerOptions = {}) {
      super(new URL('./worker.ts', import.meta.url), {
        ...options,
        workerData: {
          ...(options.workerData as object),
          fate: { deaths, thread: started++, counts, ledger } satisfies Fate,
        },
        resourceLimits: { ...options.resourceLimits, maxOldGenerationSizeMb: HEAP_MB },
      });
      running++;
      this.once('exit', () => running--);
    }
  }
  return { ...threads, Worker: MortalWorker };
}

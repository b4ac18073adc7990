import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** What may gather before it is collected: small beside any process's memory, large beside what collecting costs. */
const ENOUGH = 8 * 2 ** 20;

/** Up to here glibc follows (DEFAULT_MMAP_THRESHOLD_MAX is 32 MiB); twice as much may stay free in each arena. */
const LARGE = 16 * 2 ** 20;

type Collect = (options: { type: 'minor' }) => void;
let collect: Collect | null = null;

/**
 * Counts the bytes of short-lived buffers that a thread's work leaves behind, and collects them in time.
 *
 * Ciphers, zstd and TLS give each result in a fresh buffer, a gigabyte of them for a gigabyte of data. To V8 such a buffer
 * is one tiny object, so that tens of megabytes gather before it looks for garbage, and then it marks its whole heap, on
 * four threads at once, again and again: a quarter of all CPU time of a restore, a third of a peer's. A young-generation
 * collection every few megabytes frees the same buffers in some tenths of a millisecond. It counts them as freed at once
 * only where it does not hand their sweeping to another thread, hence the second flag. decisions/0010-buffer-garbage.md.
 */
export class BufferGarbage {
  #bytes = 0;

  constructor() {
    collect ??= exposeCollector();
  }

  /** Call where none of these bytes are needed any more, or few. Collects now and then, in the calling thread. */
  note(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < ENOUGH) return;
    this.#bytes = 0;
    collect?.({ type: 'minor' });
  }
}

/** Null where this V8 has no such function: then its own judgement has to do. */
function exposeCollector(): Collect | null {
  setFlagsFromString('--no-concurrent-array-buffer-sweeping');
  setFlagsFromString('--expose-gc');
  const exposed: unknown = runInNewContext('globalThis.gc');
  if (typeof exposed !== 'function') return null;
  keepFreedMemory(exposed as Collect);
  return exposed as Collect;
}

/**
 * glibc gives free memory above a threshold back to the system, which then clears its pages for the next buffer: half of all
 * system time of a backup. Freeing one large block raises that threshold to twice its size (mallopt(3), M_MMAP_THRESHOLD:
 * it adapts). The block is never touched, so it costs no memory.
 */
function keepFreedMemory(collectNow: Collect): void {
  Buffer.allocUnsafeSlow(LARGE);
  collectNow({ type: 'minor' });
}

/** Where a sealing thread can be made to die. `got`: before it does what it was asked. */
export const POINTS = [
  'start',
  'got frame',
  'got flush',
  'got reseal',
  'got adopt',
  'got open',
  'got rebuild',
  'got inflate',
  'compress',
  'seal a shard',
  'seal a piece',
  'code',
  'repair',
  'open a shard',
  'decompress',
  'before closing',
  'after closing',
  'before sealed',
  'after sealed',
  'before result',
  'after result',
] as const;

export type Point = (typeof POINTS)[number];

export interface Death {
  readonly at: Point;
  /** The first time, the second…, over all threads, or of one. */
  readonly nth: number;
  /** How many times in a row; default 1. */
  readonly times?: number;
  /** The thread that dies, in order of their starts; default: whichever comes there. */
  readonly thread?: number;
  /**
   * Default: stops at once, as if killed. `memory`: a heap that is full. `throw`: an error that nobody expects, thrown there.
   * `later`: an error thrown when the job is done.
   */
  readonly how?: 'exit' | 'memory' | 'throw' | 'later';
}

export interface Fate {
  readonly deaths: readonly Death[];
  readonly thread: number;
  /** Of each point, how often any thread came there. */
  readonly counts: SharedArrayBuffer;
  /** File that each piece of plaintext is noted in, before it is sealed. */
  readonly ledger: string;
}

import type { Cost } from '../harness/measured-process.ts';

export type SourceKind = 'database' | 'tree';

/** A source as it lies on disk; both programs get the very same one. */
export interface BenchSource {
  readonly kind: SourceKind;
  readonly path: string;
}

export interface OperationCost extends Cost {
  /** CPU time of the processes that serve the storage, where there are any. */
  readonly serverCpuSeconds: number;
  /** Peak memory of the largest of them. */
  readonly serverPeakRssBytes: number;
}

/** A backup program with a fresh, empty storage of its own. Each operation is one whole process of it. */
export interface Contender {
  readonly name: string;
  backup(): Promise<OperationCost>;
  /** Of the newest snapshot, to a path that does not exist; returns where the source's copy then is. */
  restore(to: string): Promise<{ cost: OperationCost; restored: string }>;
  /** Bytes of all files in the storage. */
  storedBytes(): Promise<number>;
  /** Ends its processes and removes its storage. */
  close(): Promise<void>;
}

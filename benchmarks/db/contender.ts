import type { Cost } from '../harness/measured-process.ts';

export interface OperationCost extends Cost {
  /** CPU time of the database server while it lasted: backends and whatever else the server did. */
  readonly serverCpuSeconds: number;
  /** CPU time of the peers that keep shards, where there are any. */
  readonly peersCpuSeconds: number;
}

/** A way of backing up the database, with an empty storage of its own. */
export interface Contender {
  readonly name: string;
  /** @param reread every row, whatever says that nothing changed. */
  backup(options?: { reread?: boolean }): Promise<OperationCost>;
  /** The newest backup, into a database that is not there yet. */
  restore(database: string): Promise<OperationCost>;
  /** Bytes that all backups so far have come to in the storage. */
  storedBytes(): Promise<number>;
  /** Ends its processes and removes its storage. */
  close(): Promise<void>;
}

/** What the tests look at of the commands' JSON. Each command prints some of these members; tests fail on the others. */
export interface Output {
  readonly error: ErrorOutput;
  readonly backups: readonly BackupOutput[];
  readonly snapshots: readonly { readonly id: string; readonly source: string; readonly complete: boolean }[];
  // repair
  readonly repairedShards: number;
  readonly repairedFromParts: number;
  readonly repairedBytes: number;
  readonly fetchedBytes: number;
  readonly unreachableShards: number;
  readonly failed: readonly unknown[];
  // restore
  readonly bytes: number;
  readonly objects: number;
  readonly decoded: number;
  readonly faults: readonly FaultOutput[];
  // verify
  readonly healthy: boolean;
  readonly restorable: boolean;
  readonly partitions: number;
  readonly checkedPartitions: number;
  readonly damaged: readonly {
    readonly bad: readonly { readonly problem: string; readonly peer: string }[];
  }[];
  readonly lost: readonly { readonly partition: string }[];
  // lab corrupt
  readonly shards: readonly string[];
}

export interface ErrorOutput {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  readonly details: Readonly<Record<string, unknown>>;
}

export interface BackupOutput {
  readonly source: string;
  readonly ok: boolean;
  readonly snapshot: {
    readonly id: string;
    readonly sequence: number;
    readonly complete: boolean;
    readonly totals: {
      readonly objects: number;
      readonly bytes: number;
      readonly newBytes: number;
      readonly storedBytes: number;
    };
  };
  readonly problems: readonly { readonly path: string }[];
  readonly readBytes: number;
  readonly shardsSent: number;
  readonly shardsResumed: number;
  readonly headPeers: number;
}

export interface FaultOutput {
  readonly name: string;
  readonly wrongBytes: number;
  readonly missing: number;
  readonly unreachable: number;
}

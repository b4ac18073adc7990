import { writeSync } from 'node:fs';
import type { CampaignTotals, Finding } from './campaign.ts';
import type { Group } from './targets/index.ts';

/** What one target's process is told, as its only argument. */
export interface ChildTask {
  readonly group: Group;
  readonly target: string;
  readonly seed: number;
  readonly milliseconds: number | null;
  readonly runs: number | null;
  /** Where it writes each input before it runs it: all that is left of one that ends the process. */
  readonly journal: string;
}

export type FromChild =
  | { readonly type: 'progress'; readonly totals: CampaignTotals }
  | { readonly type: 'done'; readonly totals: CampaignTotals; readonly findings: readonly SavedFinding[] };

/** As it travels and is saved. */
export type SavedFinding = Omit<Finding, 'input'> & { readonly input: string };

export const saved = (finding: Finding): SavedFinding => ({
  ...finding,
  input: Buffer.from(finding.input).toString('base64'),
});

export const STOP = 'stop';

const HEAD_BYTES = 8;

/** Over what was there: run and length, then the input. What a longer one left behind is not looked at. */
export function writeJournal(file: number, run: number, input: Uint8Array): void {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32BE(run >>> 0, 0);
  head.writeUInt32BE(input.length, 4);
  const entry = Buffer.concat([head, input]);
  writeSync(file, entry, 0, entry.length, 0);
}

export function readJournal(bytes: Buffer): { run: number; input: Uint8Array } {
  if (bytes.length < HEAD_BYTES) return { run: 0, input: new Uint8Array(0) };
  return {
    run: bytes.readUInt32BE(0),
    input: bytes.subarray(HEAD_BYTES, HEAD_BYTES + bytes.readUInt32BE(4)),
  };
}

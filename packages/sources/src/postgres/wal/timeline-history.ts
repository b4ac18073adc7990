import { HoldfastError } from '@holdfast/contracts';
import { type Lsn, parseLsn } from './lsn.ts';

/** One ancestor: its WAL counts up to `end`, where the next timeline branched off. */
export interface Ancestor {
  readonly timeline: number;
  readonly end: Lsn;
}

const LINE = /^\s*(\d+)\s+([0-9A-Fa-f]+\/[0-9A-Fa-f]+)/;

/** The ancestors in a timeline's history file, oldest first. FORMAT_INVALID for anything else. */
export function parseHistory(content: Uint8Array): Ancestor[] {
  const lines = Buffer.from(content).toString('utf8').split('\n');
  const ancestors = lines.flatMap((line) => {
    if (line.trim() === '' || line.trimStart().startsWith('#')) return [];
    const match = LINE.exec(line);
    if (!match)
      throw new HoldfastError('FORMAT_INVALID', 'A timeline’s history file has a line that is none');
    return [{ timeline: Number(match[1]), end: parseLsn(match[2]!) }];
  });
  if (
    ancestors.some(
      ({ timeline, end }, i) =>
        i > 0 && (timeline <= ancestors[i - 1]!.timeline || end < ancestors[i - 1]!.end),
    )
  )
    throw new HoldfastError('FORMAT_INVALID', 'A timeline’s history file is out of order');
  return ancestors;
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PostgresServer } from '@holdfast/testing/servers/postgres-server';
import { TICKS_PER_SECOND } from '../harness/process-facts.ts';

/** CPU time of the server's processes since it was started: those that have ended, and those that run. Linux. See proc(5). */
export function serverCpuSeconds(server: PostgresServer): number {
  const [postmaster] = readFileSync(join(server.dataDirectory, 'postmaster.pid'), 'utf8').split('\n');
  const children = readFileSync(`/proc/${postmaster}/task/${postmaster}/children`, 'utf8').trim();
  const running = children.split(' ').reduce((sum, pid) => sum + ticks(pid).own, 0);
  const { own, ofEnded } = ticks(postmaster!);
  return (own + ofEnded + running) / TICKS_PER_SECOND;
}

function ticks(pid: string): { own: number; ofEnded: number } {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    return { own: fields[11]! + fields[12]!, ofEnded: fields[13]! + fields[14]! };
  } catch {
    // It ended just now: the next look finds it with the postmaster.
    return { own: 0, ofEnded: 0 };
  }
}

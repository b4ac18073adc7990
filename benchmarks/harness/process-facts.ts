import { readFileSync } from 'node:fs';

export interface ProcessFacts {
  /** User and system time since its start. */
  readonly cpuSeconds: number;
  /** The most memory that it ever had resident. */
  readonly peakRssBytes: number;
}

/** Linux counts in hundredths of a second here, whatever the kernel's own tick is. */
export const TICKS_PER_SECOND = 100;

/** Of a running process, from /proc; null when there is none, or no /proc. See proc(5). */
export function processFacts(pid: number): ProcessFacts | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in parentheses, which may hold spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [user, system] = [Number(fields[11]), Number(fields[12])];
    const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return {
      cpuSeconds: (user + system) / TICKS_PER_SECOND,
      peakRssBytes: peak ? Number(peak[1]) * 1024 : 0,
    };
  } catch {
    return null;
  }
}

/** The kernel may count a thread's time in steps of up to 10 ms, and says 0 of what is shorter. */
const LEAST_NANOSECONDS = 20e6;

/**
 * Nanoseconds of CPU that the calling thread spends on some work that never waits. Beside other programs that stays about the same
 * when wall clock does not. What helper threads do for it, such as parts of garbage collection, is left out. Wall clock for
 * work too short to be counted.
 */
export function threadTime(work: () => void): number {
  const start = process.hrtime.bigint();
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  const counted = (user + system) * 1000;
  return counted >= LEAST_NANOSECONDS ? counted : Number(process.hrtime.bigint() - start);
}

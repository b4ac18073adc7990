import type { DrillStep } from './drill-report.ts';

/** Steps of a drill, and how long each took. */
export class Stopwatch {
  readonly steps: DrillStep[] = [];

  async time<T>(name: DrillStep['name'], work: () => Promise<T>): Promise<T> {
    const began = performance.now();
    try {
      return await work();
    } finally {
      this.steps.push({ name, seconds: (performance.now() - began) / 1000 });
    }
  }

  get seconds(): number {
    return this.steps.reduce((sum, step) => sum + step.seconds, 0);
  }
}

/** Works in what was prepared, and removes it in any case. What failed first is told; the removal's failure if nothing else did. */
export async function withRemoval<T>(work: () => Promise<T>, remove: () => Promise<void>): Promise<T> {
  let result: T;
  try {
    result = await work();
  } catch (error) {
    await remove().catch(() => {});
    throw error;
  }
  await remove();
  return result;
}

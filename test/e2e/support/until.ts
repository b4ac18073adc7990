import { setTimeout as sleep } from 'node:timers/promises';

/** Asks again and again until it holds. */
export async function until(holds: () => boolean | Promise<boolean>, seconds = 60): Promise<void> {
  for (const end = performance.now() + seconds * 1000; performance.now() < end; await sleep(5)) {
    if (await holds()) return;
  }
  throw new Error(`It did not come true within ${seconds} s: ${holds}`);
}

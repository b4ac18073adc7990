import { type Clock, cancelled } from '@holdfast/contracts';

/** Timers wake up to a millisecond early by the monotonic clock; longer waits than this overflow them. */
const MAX_TIMER = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep(milliseconds, options) {
    const signal = options?.signal;
    const end = performance.now() + milliseconds;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(cancelled(signal));
        return;
      }
      const stop = (): void => {
        clearTimeout(timer);
        reject(cancelled(signal!));
      };
      const wake = (): void => {
        const left = end - performance.now();
        if (left > 0) {
          timer = setTimeout(wake, Math.min(Math.ceil(left), MAX_TIMER));
          return;
        }
        signal?.removeEventListener('abort', stop);
        resolve();
      };
      let timer = setTimeout(wake, Math.min(Math.max(0, Math.ceil(milliseconds)), MAX_TIMER));
      signal?.addEventListener('abort', stop, { once: true });
    });
  },
};

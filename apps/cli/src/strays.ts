import { HoldfastError } from '@holdfast/contracts';
import { exitCodeOf } from './exit-codes.ts';
import { asHoldfastError } from './output/errors.ts';

/**
 * Failures that nobody waited for. They end the command at once, in the same words and with the same exit codes as all
 * others, rather than with a stack on the screen; that is safe, since every step is safe against a crash. Once the
 * command was told to stop, work that was given up may end with CANCELLED unheard.
 */
export function catchStrays(signal: AbortSignal, fail: (error: HoldfastError) => void): { dispose(): void } {
  const onStray = (error: unknown): void => {
    if (signal.aborted && HoldfastError.is(error, 'CANCELLED')) return;
    const failure = asHoldfastError(error);
    fail(failure);
    process.exit(exitCodeOf(failure.code));
  };
  process.on('unhandledRejection', onStray);
  process.on('uncaughtException', onStray);
  return {
    dispose: () => {
      process.off('unhandledRejection', onStray);
      process.off('uncaughtException', onStray);
    },
  };
}

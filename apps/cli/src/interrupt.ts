import { HoldfastError } from '@holdfast/contracts';
import { EXIT } from './exit-codes.ts';

export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';
export const STOP_SIGNALS: readonly StopSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * A signal that fires at the first Ctrl-C (or another of `names`), so that the command can end cleanly; the second ends the
 * process on the spot, which loses nothing either: every step is safe against a crash.
 */
export function interruptSignal(
  tell: (line: string) => void,
  names = STOP_SIGNALS,
): { signal: AbortSignal; dispose(): void } {
  const controller = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(EXIT.cancelled);
    tell(`Stopping cleanly after ${name === 'SIGINT' ? 'Ctrl-C' : name}; once more stops at once.`);
    controller.abort(
      new HoldfastError('CANCELLED', `Stopped by ${name === 'SIGINT' ? 'Ctrl-C' : name}.`, {
        hint: 'Run the same command again: a backup continues where it stopped.',
      }),
    );
  };
  for (const name of names) process.on(name, onSignal);
  return {
    signal: controller.signal,
    dispose: () => {
      for (const name of names) process.off(name, onSignal);
    },
  };
}

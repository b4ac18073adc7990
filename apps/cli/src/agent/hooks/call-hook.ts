import type { HookConfig } from '../../config/hook-schema.ts';
import type { Log } from '../log.ts';
import { callCommand } from './command-hook.ts';
import type { HookFacts } from './hook-facts.ts';
import { callAddress } from './web-hook.ts';

const LONGEST_LINE = 2000;

/** Does nothing where none is configured. HOOK_FAILED. */
export async function callHook(
  hook: HookConfig | undefined,
  facts: HookFacts,
  signal: AbortSignal,
  log: Log,
): Promise<void> {
  if (!hook) return;
  const { run, url, timeout, environment } = hook;
  if (url !== undefined) return callAddress({ url, timeout }, facts, signal);
  const tell = (line: string): void =>
    log({
      event: 'hook-output',
      hook: facts.event,
      message: `${facts.event} hook: ${line.slice(0, LONGEST_LINE)}`,
    });
  await callCommand({ run: run!, timeout, environment }, facts, signal, tell);
}

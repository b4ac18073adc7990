import { HoldfastError } from '@holdfast/contracts';
import type { HookFacts } from './hook-facts.ts';

export interface WebHook {
  readonly url: string;
  /** Milliseconds. */
  readonly timeout: number;
}

/**
 * Posts the facts as JSON. HOOK_FAILED unless the answer is 2xx in time. Only the host is ever named: paths and parameters of such
 * addresses are often what a service knows its users by.
 */
export async function callAddress(hook: WebHook, facts: HookFacts, signal: AbortSignal): Promise<void> {
  const { host } = new URL(hook.url);
  let status: number;
  try {
    const answer = await fetch(hook.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(facts),
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(hook.timeout)]),
    });
    await answer.body?.cancel();
    status = answer.status;
  } catch (error) {
    throw failed(facts, host, reasonOf(error), error);
  }
  if (status < 200 || status > 299) throw failed(facts, host, `it answered with status ${status}`);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'the request failed';
  if (error.name === 'TimeoutError') return 'it did not answer in time';
  const { cause } = error;
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'the request failed';
}

const failed = (facts: HookFacts, host: string, why: string, cause?: unknown): HoldfastError =>
  new HoldfastError('HOOK_FAILED', `The ${facts.event} hook of ${facts.task} at ${host}: ${why}.`, {
    hint: 'Check the address, and that this machine reaches it.',
    details: { task: facts.task, hook: facts.event, host },
    ...(cause instanceof Error && cause.name === 'TimeoutError' ? { cause } : {}),
  });

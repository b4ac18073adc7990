import { HoldfastError } from '@holdfast/contracts';
import { systemClock } from '@holdfast/node';
import { describe, expect, test } from 'vitest';
import { SharedVault } from '../../src/protect/shared-vault.ts';
import type { OpenVault } from '../../src/vault/open.ts';

/** Says when it is opened and closed; holds back while `busy`. */
function watched() {
  const told: string[] = [];
  const state = { busy: 0, broken: false };
  const open = async (): Promise<OpenVault> => {
    if (state.broken) throw new HoldfastError('KEY_WRONG', 'no');
    if (state.busy-- > 0) throw new HoldfastError('BUSY', 'in use');
    told.push('open');
    return { [Symbol.asyncDispose]: async () => void told.push('close') } as OpenVault;
  };
  const shared = new SharedVault({ clock: systemClock, open, onWaiting: () => told.push('waiting') });
  return { shared, told, state };
}

const never = new AbortController().signal;

describe('a shared vault', () => {
  test('is open while anybody uses it, and closed when nobody does', async () => {
    const { shared, told } = watched();
    let finish = (): void => {};
    const long = shared.use(
      () =>
        new Promise<void>((resolve) => {
          finish = resolve;
        }),
      never,
    );
    await shared.use(async () => told.push('short'), never);
    expect(told).toEqual(['open', 'short']);
    finish();
    await long;
    await shared.use(async () => told.push('again'), never);
    expect(told).toEqual(['open', 'short', 'close', 'open', 'again', 'close']);
  });

  test('is waited for', async () => {
    const { shared, told, state } = watched();
    state.busy = 2;
    expect(await shared.use(async () => 'done', never)).toBe('done');
    expect(told).toEqual(['open', 'close']);
  });

  test('is given up by whoever stops, and not opened for nobody', async () => {
    const { shared, told, state } = watched();
    state.busy = 1e9;
    const stop = new AbortController();
    const waiting = shared.use(async () => 'done', stop.signal);
    stop.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' });
    const tried = 1e9 - state.busy;
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect(1e9 - state.busy).toBe(tried);
    state.busy = 0;
    await shared.use(async () => {}, never);
    expect(told).toEqual(['open', 'close']);
  });

  test('is tried again after a failure', async () => {
    const { shared, told, state } = watched();
    state.broken = true;
    await expect(shared.use(async () => {}, never)).rejects.toMatchObject({ code: 'KEY_WRONG' });
    state.broken = false;
    await expect(shared.use(() => Promise.reject(new Error('work')), never)).rejects.toThrow('work');
    expect(told).toEqual(['open', 'close']);
  });
});

import { HoldfastError } from '@holdfast/contracts';
import type { Command } from 'commander';
import type { ExitCode } from '../exit-codes.ts';
import { examples, type Invocation, runs } from '../invocation.ts';

export function registerStatus(program: Command): void {
  const command = program
    .command('status')
    .summary('whether everything is safe right now')
    .description(
      'Asks all peers, and says whether every snapshot could be restored right now, how many more failures could be ' +
        'borne, and what needs attention. Exits with 5 when something cannot be restored at the moment.',
    );
  examples(command, [
    ['holdfast status', 'for people'],
    ['holdfast status --json', 'for monitoring'],
  ]);
  runs(command, showStatus);
}

async function showStatus({ console, vault, signal }: Invocation): Promise<ExitCode> {
  const { openSwarm } = await import('../vault/open-swarm.ts');
  const { observe } = await import('../vault/observe.ts');
  const { recordProbes } = await import('../vault/record-probes.ts');
  const { statusJson, statusLines } = await import('../output/status-view.ts');
  await using opened = await openSwarm(vault, { probe: true });
  const now = Date.now();
  const state = await observe(opened, signal, now);
  const trouble = await recordProbes(opened, state.probes, now);
  if (trouble) console.warn(`What peers answered was not kept: ${trouble.message}`);
  const lost = state.margins.byMargin.size > 0 && (state.margins.least ?? 0) < 0;
  const failure = lost
    ? new HoldfastError('TOO_FEW_SHARDS', 'Some data cannot be restored at the moment.', {
        hint: `Bring peers back: ${state.unreachable.map((probe) => probe.peer.name).join(', ') || 'see "holdfast peers"'}.`,
        details: { partitions: state.margins.lost },
      })
    : null;
  if (!failure) {
    console.result(statusJson(state), () => statusLines(state, console.colors, now));
    return 0;
  }
  return console.outcome(statusJson(state), () => statusLines(state, console.colors, now), failure);
}

import { HoldfastError } from '@holdfast/contracts';
import type { Command } from 'commander';
import type { ExitCode } from '../exit-codes.ts';
import { examples, type Invocation, runs } from '../invocation.ts';

export function registerProtect(program: Command): void {
  const command = program
    .command('protect')
    .summary('protect a PostgreSQL server continuously, until stopped')
    .description(
      'Takes a base snapshot now and then, and receives and stores the server’s write-ahead log all the time, so that any moment can be ' +
        'restored. Runs until it is stopped (Ctrl-C, SIGTERM); what was received is stored first. A line an event goes to standard error, with ' +
        '--json one JSON object a line.',
    )
    .argument('<name>', 'a source of kind postgres with "protect" in holdfast.yaml')
    .option('--check', 'say what the server needs for it, change nothing, and end');
  examples(command, [
    ['holdfast protect chat --check', 'before the first time: what is missing, and the commands that help'],
    ['holdfast protect chat', 'for a service unit; see docs/runbooks/point-in-time.md'],
    ['holdfast restore chat --at 2026-11-20T10:31:07Z --to /srv/chat', 'a moment back'],
  ]);
  runs(command, protect, { silentStop: true });
}

async function protect(
  invocation: Invocation,
  options: { readonly check?: boolean },
  name: string,
): Promise<ExitCode> {
  if (options.check) return check(invocation, name);
  const { console, vault, signal } = invocation;
  const { systemClock } = await import('@holdfast/node');
  const { agentLog } = await import('../agent/log.ts');
  const { loadConfig } = await import('../config/load.ts');
  const { tellWaiting } = await import('../protect/tell-waiting.ts');
  const { openVault } = await import('../vault/open.ts');
  const { takePassphrase } = await import('../vault/passphrase.ts');
  const { readRoot } = await import('../vault/root.ts');
  const { protectedSource } = await import('../protect/configured.ts');
  const { protectSource } = await import('../protect/protect.ts');
  const { lockProtection } = await import('../protect/running.ts');
  const { SharedVault } = await import('../protect/shared-vault.ts');
  const write = (line: string) => process.stderr.write(line);
  const log = agentLog({ json: console.json, quiet: console.quiet, now: Date.now, write });
  const config = await loadConfig(vault);
  protectedSource(config, name);
  const passphrase = await takePassphrase();
  (await readRoot(vault, { config, passphrase })).fill(0);
  const lock = await lockProtection(vault, name);
  try {
    const open = () => openVault(vault, { config, passphrase, write: true, patience: 0 });
    const shared = new SharedVault({ clock: systemClock, open, onWaiting: tellWaiting(log) });
    log({ event: 'protect-started', source: name, pid: process.pid, message: `protects "${name}"` });
    const report = await protectSource({ vault, name, config, clock: systemClock, shared, log }, signal);
    log({ event: 'protect-stopped', ...report, message: 'stopped' });
    console.done({ source: name, ...report }, () => [
      `Protection of ${name} was stopped; the server keeps WAL for it until it runs again.`,
    ]);
    return 0;
  } finally {
    lock.release();
  }
}

async function check({ console, vault }: Invocation, name: string): Promise<ExitCode> {
  const { loadConfig } = await import('../config/load.ts');
  const { connectByOptions, readiness } = await import('@holdfast/sources/postgres-wal');
  const { protectedSource } = await import('../protect/configured.ts');
  const { slotOf } = await import('../protect/protect.ts');
  const { databaseOptions } = await import('../vault/database-options.ts');
  const { readinessLines } = await import('../output/readiness-view.ts');
  const source = protectedSource(await loadConfig(vault), name);
  const slot = await slotOf(vault, name, source);
  const needs = await readiness(connectByOptions(databaseOptions(source, vault)), slot);
  const missing = needs.filter(({ state }) => state === 'missing');
  const failure =
    missing.length === 0
      ? null
      : new HoldfastError('SOURCE_UNREADABLE', `The server of "${name}" is not ready to be protected.`, {
          hint: missing.map(({ hint }) => hint).join(' '),
          details: { missing: missing.map(({ need }) => need) },
        });
  return console.outcome(
    { source: name, slot, needs },
    () => readinessLines(name, needs, console.colors),
    failure,
  );
}

import type { Command } from 'commander';
import type { Log } from '../agent/log.ts';
import type { StuckError } from '../agent/run-task.ts';
import { type ExitCode, exitCodeOf } from '../exit-codes.ts';
import { examples, type Invocation, runs } from '../invocation.ts';

interface AgentOptions {
  readonly check?: boolean;
}

export function registerAgent(program: Command): void {
  const agent = program
    .command('agent')
    .helpCommand(false)
    .summary('back up by schedule until stopped')
    .description(
      'Backs up the sources that have a schedule in holdfast.yaml, and protects continuously those with "protect", until it is stopped ' +
        '(Ctrl-C, SIGTERM). SIGHUP makes it read the ' +
        'configuration again. Its log goes to standard error, a line an event, or with --json one JSON object a line; ' +
        'then one object with process id and tasks is printed on standard output as soon as it runs.',
    )
    .option('--check', 'check the configuration, print when each source is next backed up, and end');
  examples(agent, [
    ['holdfast agent', 'for a service unit; see docs/runbooks/running-the-agent.md'],
    ['holdfast agent --check', 'after editing holdfast.yaml'],
    ['holdfast agent status', 'how the last runs went'],
  ]);
  runs(agent, runAgent, { stopSignals: ['SIGINT', 'SIGTERM'], silentStop: true });

  const status = agent
    .command('status')
    .summary('how scheduled backups and drills went, and when the next ones are')
    .description(
      'Says of each scheduled backup and restore drill when it last worked, what failed last, when it is next, and whether it is ' +
        'overdue. Asks no peer, and works while the agent runs.',
    );
  examples(status, [
    ['holdfast agent status', 'for people'],
    ['holdfast agent status --json', 'for monitoring'],
  ]);
  runs(status, showStatus);
}

async function runAgent(invocation: Invocation, options: AgentOptions): Promise<ExitCode> {
  if (options.check) return check(invocation);
  const { startAgent } = await import('../agent/start.ts');
  const { agentLog } = await import('../agent/log.ts');
  const { console, vault, signal } = invocation;
  const log = agentLog({
    json: console.json,
    quiet: console.quiet,
    now: Date.now,
    write: (line) => process.stderr.write(line),
  });
  const started = await startAgent(vault, log);
  if (console.json) console.result({ pid: process.pid, vault, tasks: started.tasks }, () => []);
  try {
    await started.run(signal);
    return 0;
  } catch (error) {
    const { StuckError } = await import('../agent/run-task.ts');
    if (error instanceof StuckError) giveUp(log, error);
    throw error;
  }
}

async function check({ console, vault }: Invocation): Promise<ExitCode> {
  const { forecast } = await import('../agent/forecast.ts');
  const { forecastJson, forecastLines } = await import('../output/agent-view.ts');
  const tasks = await forecast(vault, Date.now());
  console.result({ tasks: tasks.map(forecastJson) }, () => forecastLines(tasks, console.colors));
  return 0;
}

async function showStatus({ console, vault }: Invocation): Promise<ExitCode> {
  const { agentStatus } = await import('../agent/status.ts');
  const { agentStatusJson, agentStatusLines } = await import('../output/agent-view.ts');
  const now = Date.now();
  const status = await agentStatus(vault, now);
  if (status.damage !== null) {
    console.warn(
      `What the agent remembers cannot be read (${status.damage}); it begins anew at its next start.`,
    );
  }
  console.result(agentStatusJson(status), () => agentStatusLines(status, console.colors, now));
  return 0;
}

/** What does not end when it is told to would keep the process from ending by itself. */
function giveUp(log: Log, { code, message, hint }: StuckError): never {
  log({
    event: 'agent-gave-up',
    level: 'error',
    message: `${message} ${hint ?? ''}`,
    error: { code, message },
  });
  process.exit(exitCodeOf(code));
}

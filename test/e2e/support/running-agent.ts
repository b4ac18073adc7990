import type { Ended, Running } from './command.ts';
import type { Lab } from './lab.ts';
import { until } from './until.ts';

export interface AgentEvent {
  readonly time: string;
  readonly level: string;
  readonly event: string;
  readonly task?: string;
  readonly message: string;
  readonly attempt?: number;
  readonly snapshot?: string | null;
  readonly retryAt?: string | null;
  readonly hook?: string;
  readonly lagSeconds?: number;
  readonly error?: { readonly code: string; readonly message: string };
}

type Wanted = Partial<Pick<AgentEvent, 'event' | 'task' | 'hook' | 'attempt'>>;

/** `holdfast agent --json`, or another command that logs events, as a process of its own, and what it has logged so far. */
export class RunningAgent {
  readonly events: AgentEvent[] = [];
  readonly #running: Running;
  #rest = '';

  constructor(
    lab: Lab,
    environment: Readonly<Record<string, string>> = {},
    command: readonly string[] = ['agent'],
  ) {
    this.#running = lab.start(command, { environment });
    this.#running.child.stderr.setEncoding('utf8').on('data', (text: string) => this.#take(text));
  }

  /** Resolves with the first such event after the `from`th. */
  async sees(wanted: Wanted, from = 0): Promise<AgentEvent> {
    const found = () => this.events.slice(from).find((event) => matches(event, wanted));
    const { child } = this.#running;
    await until(() => found() !== undefined || child.exitCode !== null || child.signalCode !== null);
    const event = found();
    if (event) return event;
    const { stdout, stderr } = await this.#running.ended;
    throw new Error(`The agent ended without ${JSON.stringify(wanted)}:\n${stdout}\n${stderr}`);
  }

  all(wanted: Wanted): AgentEvent[] {
    return this.events.filter((event) => matches(event, wanted));
  }

  get pid(): number {
    return this.#running.child.pid!;
  }

  kill(signal: NodeJS.Signals): void {
    this.#running.child.kill(signal);
  }

  get ended(): Promise<Ended> {
    return this.#running.ended;
  }

  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    this.kill(signal);
    return this.ended;
  }

  /** Each line must be an event: that is what it promises. */
  #take(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop()!;
    for (const line of lines) this.events.push(JSON.parse(line) as AgentEvent);
  }
}

const matches = (event: AgentEvent, wanted: Wanted): boolean =>
  Object.entries(wanted).every(([name, value]) => Reflect.get(event, name) === value);

import type { EngineEvent } from '@holdfast/engine';
import { formatCount } from '../units/count.ts';
import type { PeerNames } from '../vault/peer-names.ts';
import type { Console } from './console.ts';

/** A console, or whatever else takes lines. */
export type Teller = Pick<Console, 'note' | 'warn'>;

/**
 * Tells people about a run's events without drowning them: the first of each kind for each peer as it happens, the rest
 * as a count at the end. A dead peer means thousands of events and one piece of news.
 */
export class RunEvents {
  readonly #console: Teller;
  readonly #names: PeerNames;
  readonly #more = new Map<string, number>();

  constructor(console: Teller, names: PeerNames) {
    this.#console = console;
    this.#names = names;
  }

  /** For `RunOptions.onEvent`. */
  readonly tell = (event: EngineEvent): void => {
    const { key, line } = this.#describe(event);
    const before = this.#more.get(key);
    this.#more.set(key, before === undefined ? 0 : before + 1);
    if (before !== undefined) return;
    if (event.type === 'resumed') this.#console.note(line);
    else this.#console.warn(line);
  };

  /** When the run is over, for runs whose report does not count faults itself. */
  summarise(): void {
    for (const [key, count] of this.#more) if (count > 0) this.#console.note(`  … and ${count} more: ${key}`);
  }

  #describe(event: EngineEvent): { key: string; line: string } {
    switch (event.type) {
      case 'peer-failed': {
        const peer = this.#names.of(event.peer);
        const message = this.#names.inWords(event.message);
        const line = message.includes(peer) ? message : `${peer}: ${message}`;
        return { key: `${peer} failed with ${event.code}`, line };
      }
      case 'wrong-bytes': {
        const peer = this.#names.of(event.peer);
        const what = `shard ${event.index} of partition ${event.partition}`;
        return {
          key: `wrong bytes from ${peer}`,
          line: `${peer} sent wrong bytes for ${what}; they are not used.`,
        };
      }
      case 'shard-missing': {
        const peer = this.#names.of(event.peer);
        const what = `shard ${event.index} of partition ${event.partition}`;
        return { key: `missing on ${peer}`, line: `${peer} no longer has ${what}.` };
      }
      case 'shard-moved': {
        const [from, to] = [this.#names.of(event.from), this.#names.of(event.to)];
        return {
          key: `shards of ${from} went elsewhere`,
          line: `A shard meant for ${from} went to ${to} instead.`,
        };
      }
      case 'resumed': {
        const line = `Continuing an earlier run: ${formatCount(event.partitions, 'unfinished partition')}, ${formatCount(event.shardsAlreadyStored, 'shard')} stored already.`;
        return { key: 'resumed', line };
      }
      case 'placement-relaxed':
        return {
          key: `relaxed ${event.rule}`,
          line: `A soft placement rule was relaxed: ${event.rule}. ${event.reason}`,
        };
      case 'worker-restarted':
        return {
          key: 'sealing threads died',
          line: `A sealing thread died ${event.job}, and another goes on: ${event.reason}`,
        };
    }
  }
}

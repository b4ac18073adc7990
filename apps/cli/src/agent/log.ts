import { stripVTControlCharacters } from 'node:util';
import { plain } from '../output/json.ts';

export type LogLevel = 'info' | 'warning' | 'error';

/** One line an event. Nothing in it is secret. */
export interface LogEvent {
  /** A word for machines, such as `run-failed`. */
  readonly event: string;
  readonly level?: LogLevel;
  readonly task?: string;
  /** For people. */
  readonly message: string;
  /** Further facts for machines. */
  readonly [fact: string]: unknown;
}

export type Log = (event: LogEvent) => void;

export interface LogOptions {
  readonly json: boolean;
  /** Warnings and errors only. */
  readonly quiet: boolean;
  readonly now: () => number;
  readonly write: (line: string) => void;
}

/** Plain: time, level, task and message. JSON: all facts. Either way a line is an event and an event a line. */
export function agentLog({ json, quiet, now, write }: LogOptions): Log {
  return ({ event, level = 'info', task, message, ...facts }) => {
    if (quiet && level === 'info') return;
    const time = new Date(now()).toISOString();
    if (json) write(`${JSON.stringify(plain({ time, level, event, task, message, ...facts }))}\n`);
    else write(`${time} ${level.padEnd(7)} ${task === undefined ? '' : `${task}: `}${oneLine(message)}\n`);
  };
}

/** What others said must not look like lines of ours, nor steer a terminal. */
export const oneLine = (text: string): string =>
  stripVTControlCharacters(text)
    .replace(/\s*[\r\n]+\s*/g, ' / ')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are to go
    .replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ');

import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { buildProgram } from '../src/main.ts';

function everyCommand(command: Command, path: string[] = []): [string, Command][] {
  const here = [...path, command.name()];
  return [
    [here.join(' '), command] as [string, Command],
    ...command.commands.filter((sub) => sub.name() !== 'help').flatMap((sub) => everyCommand(sub, here)),
  ];
}

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (piece) => (text += piece) }).outputHelp();
  return text;
}

const commands = everyCommand(buildProgram());

describe('help', () => {
  it('knows all commands', () => {
    expect(commands.map(([name]) => name.replace('holdfast ', ''))).toEqual(
      expect.arrayContaining([
        ...[
          'init',
          'phrase',
          'source add',
          'source list',
          'source test',
          'source remove',
          'backup',
          'snapshots',
          'show',
        ],
        ...[
          'restore',
          'verify',
          'status',
          'peers',
          'peers admit',
          'peers remove',
          'placement check',
          'placement peers',
          'placement show',
          'peer init',
          'peer accept',
          'peer run',
        ],
        ...['lab up', 'lab down', 'lab status', 'lab kill', 'lab start', 'lab corrupt'],
      ]),
    );
  });

  it.each(commands)('of "%s" has an example of that very command', (name, command) => {
    const help = helpOf(command);
    const [, shown] = help.split(/Examples?:\n/);
    expect(shown).toBeTruthy();
    const typed = shown!.split('\n').filter((line) => line.includes('$ '));
    expect(typed.some((line) => line.includes(name))).toBe(true);
  });

  it.each(commands)('of "%s" explains every option and argument', (_, command) => {
    expect(command.description()).toMatch(/\.$/);
    if (command.parent) expect(command.summary()).toBeTruthy();
    for (const option of command.options) expect(option.description).toBeTruthy();
    for (const argument of command.registeredArguments) expect(argument.description).toBeTruthy();
  });

  it.each(commands)('of "%s" mentions the options that all commands share', (_, command) => {
    for (const option of ['--json', '--quiet', '--vault', '--help'])
      expect(helpOf(command)).toContain(option);
  });

  it('of the whole lists the exit codes', () => {
    expect(helpOf(buildProgram())).toMatch(/Exit codes:\n {4}0 {2}done\n/);
  });
});

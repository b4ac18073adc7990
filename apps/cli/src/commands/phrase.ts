import { HoldfastError } from '@holdfast/contracts';
import type { Command } from 'commander';
import { examples, type Invocation, runs } from '../invocation.ts';

export function registerPhrase(program: Command): void {
  const command = program
    .command('phrase')
    .summary('show the recovery phrase, or restore the root key from it')
    .description(
      'Shows the 24 words that stand for the root secret. Secret: who has them can open your backups. With --restore the ' +
        'words are read from standard input, and a root key that is lost is made again.',
    )
    .option('--restore', 'make keys/root.key again from words on standard input');
  examples(command, [
    ['holdfast phrase', 'to be copied onto paper'],
    ['holdfast phrase --restore < words.txt', 'the root key was lost'],
  ]);
  runs(command, phrase);
}

async function phrase(invocation: Invocation, options: { restore?: boolean }): Promise<void> {
  if (options.restore) await restoreRoot(invocation);
  else await showPhrase(invocation);
}

async function showPhrase({ console, vault }: Invocation): Promise<void> {
  const { phraseFromRoot } = await import('@holdfast/crypto');
  const { readRoot } = await import('../vault/root.ts');
  const { phraseLines } = await import('../output/phrase-view.ts');
  const root = await readRoot(vault);
  const words = phraseFromRoot(root);
  root.fill(0);
  console.result({ recoveryPhrase: words }, () => phraseLines(words, console.colors));
}

async function restoreRoot({ console, vault }: Invocation): Promise<void> {
  const { text } = await import('node:stream/consumers');
  const { writeRoot } = await import('../vault/root.ts');
  if (process.stdin.isTTY) console.note('Type the 24 words, then press Enter and Ctrl-D:');
  const words = (await text(process.stdin)).trim();
  if (words === '') {
    throw new HoldfastError('USAGE', 'No words came in on standard input.', {
      hint: 'holdfast phrase --restore < words.txt',
    });
  }
  const { fingerprint, path } = await writeRoot(vault, words);
  console.done({ fingerprint, path }, () => [
    `${console.colors.green('✓')} Made ${path} again; the vault's fingerprint is ${fingerprint}.`,
  ]);
}

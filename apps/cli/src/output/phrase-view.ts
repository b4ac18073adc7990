import type { Colors } from './colors.ts';

const PER_ROW = 4;

/** Six rows of four, numbered: how people copy words onto paper. */
export function phraseLines(phrase: string, colors: Colors): string[] {
  const words = phrase.split(' ').map((word, i) => `${String(i + 1).padStart(2)} ${word.padEnd(10)}`);
  const rows = Array.from({ length: Math.ceil(words.length / PER_ROW) }, (_, i) =>
    words.slice(i * PER_ROW, (i + 1) * PER_ROW).join(''),
  );
  return [
    `${colors.bold('Recovery phrase.')} Write it on paper, now. Who has it can open your backups; without it and without`,
    'the key file nobody can, you included.',
    '',
    ...rows.map((row) => `    ${row.trimEnd()}`),
  ];
}

import type { Readiness } from '@holdfast/sources/postgres-wal';
import type { Colors } from './colors.ts';

export function readinessLines(name: string, needs: readonly Readiness[], colors: Colors): string[] {
  const marks = { met: colors.green('✓'), advice: colors.yellow('!'), missing: colors.red('✗') };
  const lines = needs.flatMap(({ state, found, hint }) => [
    `${marks[state]} ${found}`,
    ...(hint === null ? [] : [`    ${hint}`]),
  ]);
  const ready = needs.every(({ state }) => state !== 'missing');
  return ready ? [...lines, '', `Ready. Begin with: holdfast protect ${name}`] : lines;
}

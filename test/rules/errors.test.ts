import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERROR_CODES } from '@holdfast/contracts';
import { expect, test } from 'vitest';
import { ROOT } from './workspaces.ts';

/** Rows of the tables: | `CODE` | meaning | exit code | what to do | */
const rows = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8')
  .split('\n')
  .flatMap((line) => {
    const [, code, meaning, exitCode, advice] = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
    return code && /^`[A-Z_]+`$/.test(code) ? [{ code: code.slice(1, -1), meaning, exitCode, advice }] : [];
  });

test('docs/errors.md lists the error codes of the contracts, each once, with the same words', () => {
  const documented = rows.map(({ code, meaning }) => [code, meaning] as const);
  expect(documented.toSorted(byCode)).toEqual(Object.entries(ERROR_CODES).toSorted(byCode));
});

test('each has an exit code and an advice', () => {
  const lacking = rows.filter(({ exitCode, advice }) => !/^\d+$/.test(exitCode ?? '') || !advice);
  expect(lacking.map(({ code }) => code)).toEqual([]);
});

function byCode([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

import { readFileSync } from 'node:fs';
import { ERROR_CODES, type ErrorCode } from '@holdfast/contracts';
import { describe, expect, it } from 'vitest';
import { EXIT, EXIT_MEANINGS, exitCodeOf } from '../src/exit-codes.ts';

const codes = Object.keys(ERROR_CODES) as ErrorCode[];
const document = (name: string) => readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8');

describe('exit codes', () => {
  it.each(codes)('%s has one that is explained, and is not success', (code) => {
    const exit = exitCodeOf(code);
    expect(exit).not.toBe(EXIT.ok);
    expect(EXIT_MEANINGS[exit]).toBeTruthy();
  });

  it('are distinct, and each is explained', () => {
    const all = Object.values(EXIT);
    expect(new Set(all).size).toBe(all.length);
    expect(Object.keys(EXIT_MEANINGS).map(Number).sort()).toEqual([...all].sort());
  });

  it('stand in docs/errors.md as the program gives them', () => {
    const rows = [...document('errors.md').matchAll(/^\| `([A-Z_]+)` \| (.+?) \| (\d+) \| .+ \|$/gm)];
    const documented = Object.fromEntries(
      rows.map(([, code, meaning, exit]) => [code, { meaning, exit: Number(exit) }]),
    );
    const actual = Object.fromEntries(
      codes.map((code) => [code, { meaning: ERROR_CODES[code], exit: exitCodeOf(code) }]),
    );
    expect(documented).toEqual(actual);
  });

  it('stand in docs/cli.md as the program explains them', () => {
    const rows = [...document('cli.md').matchAll(/^\| (\d+) \| (.+?) \|/gm)];
    expect(Object.fromEntries(rows.map(([, exit, meaning]) => [exit, meaning]))).toEqual({
      ...EXIT_MEANINGS,
    });
  });
});

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';

const SOURCE = join(import.meta.dirname, '../src');

function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(([, path]) =>
    join(dirname(file), path!),
  );
}

/** The files of a folder and whatever they import, at any remove; types too. */
function reachedFrom(folder: string): string[] {
  const reached = new Set(readdirSync(join(SOURCE, folder)).map((name) => join(SOURCE, folder, name)));
  for (const file of reached) for (const imported of importsOf(file)) reached.add(imported);
  return [...reached].map((file) => relative(SOURCE, file)).sort();
}

test('the verifier shares nothing with what it verifies: only words, its own files, and the contracts', () => {
  const elsewhere = reachedFrom('verify').filter((file) => !file.startsWith('verify/'));
  expect(elsewhere).toEqual(['candidate.ts', 'certificate-facts.ts', 'holding.ts', 'placement-rules.ts']);
});

test('what finds imports finds them: the assigner does reach its rules', () => {
  expect(reachedFrom('assign').filter((file) => file.startsWith('rules/')).length).toBeGreaterThan(3);
});

test('of the words it takes types alone, no functions that the assigner uses too', () => {
  for (const name of readdirSync(join(SOURCE, 'verify'))) {
    const text = readFileSync(join(SOURCE, 'verify', name), 'utf8');
    const values = [...text.matchAll(/^import (?!type )[^;]*?from '(\.\.[^']+)'/gm)].map(([, path]) => path);
    expect(values, name).toEqual([]);
  }
});

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileExcludes } from '../src/tree/exclude-patterns.ts';

const bytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
const excluded = (patterns: string[], path: string, isDirectory = false): boolean =>
  compileExcludes(patterns)(bytes(path), isDirectory);

test.each<[string[], string, boolean]>([
  [['*.log'], 'a.log', true],
  [['*.log'], 'deep/er/a.log', true],
  [['*.log'], 'a.log.txt', false],
  [['/a.log'], 'a.log', true],
  [['/a.log'], 'b/a.log', false],
  [['b/a.log'], 'b/a.log', true],
  [['b/a.log'], 'c/b/a.log', false],
  [['**/b/a'], 'c/b/a', true],
  [['a/**'], 'a/b/c', true],
  [['a/**'], 'a', false],
  [['a/**/z'], 'a/z', true],
  [['a/**/z'], 'a/b/c/z', true],
  [['a*z'], 'a/z', false],
  [['a?c'], 'abc', true],
  [['a?c'], 'aéc', true],
  [['a?c'], 'a/c', false],
  [['[a-c]x'], 'bx', true],
  [['[!a-c]x'], 'bx', false],
  [['[]]'], ']', true],
  [['\\*'], '*', true],
  [['\\*'], 'a', false],
  [['\\#a'], '#a', true],
  [['#a'], '#a', false],
  [['ünï*'], 'ünïcode', true],
  [['*', '!keep'], 'keep', false],
  [['*', '!keep'], 'other', true],
  [['!keep', '*'], 'keep', true],
  [['a.b'], 'axb', false],
  [['line*'], 'line\nbreak', true],
])('%j on %j: %s', (patterns, path, result) => {
  expect(excluded(patterns, path)).toBe(result);
});

test('a slash at the end is for directories only', () => {
  expect(excluded(['build/'], 'x/build', true)).toBe(true);
  expect(excluded(['build/'], 'x/build', false)).toBe(false);
});

test.each(['/', '!', 'a[b', 'a\\', '[z-a]', '[é]'])('%j is refused', (pattern) => {
  expect(() => compileExcludes([pattern])).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
});

test('any text is compiled or refused, never a crash', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' })), fc.string({ unit: 'binary' }), (patterns, path) => {
      try {
        expect(typeof excluded(patterns, path)).toBe('boolean');
      } catch (error) {
        expect(error).toMatchObject({ code: 'CONFIG_INVALID' });
      }
    }),
  );
});

const segment = fc.string({
  unit: fc.constantFrom('a', 'b', '.', '*', '?', '[ab]', '[!a]', '-'),
  minLength: 1,
  maxLength: 4,
});
const pattern = fc
  .tuple(
    fc.constantFrom('', '!', '/'),
    fc.array(fc.oneof({ weight: 4, arbitrary: segment }, fc.constant('**')), { minLength: 1, maxLength: 3 }),
    fc.constantFrom('', '/'),
  )
  .map(([start, segments, end]) => start + segments.join('/') + end)
  // git reads a run of stars within a longer segment as one star, and three or more alone in its own way.
  .filter(
    (text) =>
      !/\*\*./.test(text.replace(/(^|\/|!)\*\*(?=\/|$)/g, '')) &&
      !text.includes('***') &&
      !/^!?\/?\.+\/?$/.test(text),
  );
const name = fc
  .string({ unit: fc.constantFrom('a', 'b', '.', '-', 'c'), minLength: 1, maxLength: 3 })
  .filter((text) => !/^\.+$/.test(text) && text !== '.git');
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'));

/** git's answer is about files, each judged with the directories above it, as the walk does. */
function excludedWithParents(patterns: string[], file: string): boolean {
  const parts = file.split('/');
  return parts.some((_, i) => excluded(patterns, parts.slice(0, i + 1).join('/'), i + 1 < parts.length));
}

test('agrees with git', () => {
  const repository = mkdtempSync(join(tmpdir(), 'holdfast-ignore-'));
  const git = (args: string[], input?: string): string =>
    execFileSync('git', ['-c', 'core.quotePath=false', ...args], {
      cwd: repository,
      input,
      encoding: 'utf8',
    });
  git(['init', '-q']);
  try {
    fc.assert(
      fc.property(
        fc.array(pattern, { minLength: 1, maxLength: 4 }),
        fc.uniqueArray(path, { minLength: 5, maxLength: 20 }),
        (patterns, paths) => {
          const files = paths.filter((one) => !paths.some((other) => other.startsWith(`${one}/`)));
          for (const file of files) {
            mkdirSync(dirname(join(repository, 'tree', file)), { recursive: true });
            writeFileSync(join(repository, 'tree', file), '');
          }
          writeFileSync(join(repository, 'tree', '.gitignore'), `${patterns.join('\n')}\n`);
          const kept = git(['ls-files', '-z', '--others', '--exclude-standard', 'tree'])
            .split('\0')
            .filter((line) => line !== '' && line !== 'tree/.gitignore')
            .map((line) => line.slice('tree/'.length));
          rmSync(join(repository, 'tree'), { recursive: true });
          const ours = files.filter((file) => !excludedWithParents(patterns, file));
          expect(ours.sort()).toEqual(kept.sort());
        },
      ),
      { numRuns: 60 },
    );
  } finally {
    rmSync(repository, { recursive: true, force: true });
  }
});

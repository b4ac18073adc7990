import { HoldfastError } from '@holdfast/contracts';

/** Whether an entry is left out. `path` is relative, its bytes as Latin-1 characters, so that any name has a text. */
export type Exclude = (path: string, isDirectory: boolean) => boolean;

interface Rule {
  readonly expression: RegExp;
  readonly negated: boolean;
  readonly directoriesOnly: boolean;
}

/**
 * Patterns as in a `.gitignore` at the root of the tree (https://git-scm.com/docs/gitignore#_pattern_format): the last
 * one that matches decides, `!` takes an exclusion back, but nothing below an excluded directory is looked at. Matching
 * is by bytes; `?` takes one UTF-8 character. CONFIG_INVALID for a pattern that makes no sense.
 */
export function compileExcludes(patterns: readonly string[]): Exclude {
  const rules = patterns.filter((pattern) => pattern !== '' && !pattern.startsWith('#')).map(compileRule);
  rules.reverse();
  return (path, isDirectory) => {
    for (const rule of rules) {
      if ((isDirectory || !rule.directoriesOnly) && rule.expression.test(path)) return !rule.negated;
    }
    return false;
  };
}

function compileRule(pattern: string): Rule {
  const negated = pattern.startsWith('!');
  const whole = Buffer.from(negated ? pattern.slice(1) : pattern, 'utf8').toString('latin1');
  const body = whole.replace(/\/+$/, '');
  const segments = body.replace(/^\/+/, '').split(/\/+/);
  if (segments.join('') === '') throw invalidPattern(pattern, 'it is empty');
  const anchored = body.includes('/');
  const source = (anchored ? '' : '(?:.*/)?') + joinSegments(segments, pattern);
  return { expression: new RegExp(`^${source}$`, 's'), negated, directoriesOnly: whole !== body };
}

function joinSegments(segments: readonly string[], pattern: string): string {
  let source = '';
  segments.forEach((segment, i) => {
    const last = i === segments.length - 1;
    if (segment !== '**') source += compileSegment(segment, pattern) + (last ? '' : '/');
    else source += last ? '.+' : '(?:.*/)?';
  });
  return source;
}

const ONE_CHARACTER = '(?:[\\xc2-\\xf4][\\x80-\\xbf]{1,3}|[^/])';

function compileSegment(segment: string, pattern: string): string {
  let source = '';
  for (let i = 0; i < segment.length; i++) {
    const c = segment[i]!;
    if (c === '*') {
      // A run of stars means one; collapsing it also keeps the expression from backtracking without end.
      if (segment[i - 1] !== '*') source += '[^/]*';
    } else if (c === '?') {
      source += ONE_CHARACTER;
    } else if (c === '[') {
      const end = classEnd(segment, i);
      if (end < 0) throw invalidPattern(pattern, 'a [ has no ]');
      source += compileClass(segment.slice(i + 1, end), pattern);
      i = end;
    } else if (c === '\\') {
      i += 1;
      if (i === segment.length) throw invalidPattern(pattern, 'a backslash ends it');
      source += literal(segment[i]!);
    } else {
      source += literal(c);
    }
  }
  return source;
}

/** A `]` right after `[`, `[!` or `[^` is a member of the class. */
function classEnd(segment: string, start: number): number {
  const first = start + (/[!^]/.test(segment[start + 1] ?? '') ? 2 : 1);
  return segment.indexOf(']', first + 1);
}

function compileClass(members: string, pattern: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range of ASCII
  if (!/^[\x00-\x7f]*$/.test(members))
    throw invalidPattern(pattern, 'a class in [] may hold ASCII characters only');
  const negated = /^[!^]/.test(members);
  const escaped = (negated ? members.slice(1) : members).replace(/[\\\]^]/g, '\\$&');
  try {
    return new RegExp(`(?!/)[${negated ? '^' : ''}${escaped}]`).source;
  } catch (error) {
    throw invalidPattern(pattern, 'a range in [] is upside down', error);
  }
}

const literal = (character: string): string => character.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');

function invalidPattern(pattern: string, why: string, cause?: unknown): HoldfastError {
  return new HoldfastError(
    'CONFIG_INVALID',
    `The exclude pattern ${JSON.stringify(pattern)} is invalid: ${why}`,
    {
      hint: 'Patterns are those of .gitignore files.',
      cause,
    },
  );
}

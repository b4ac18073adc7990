import { type Document, isMap, isNode, isScalar, type LineCounter } from 'yaml';
import type { z } from 'zod';
import { knownKeys } from './known-keys.ts';
import { nearest } from './nearest.ts';

export interface ConfigProblem {
  /** From 1; null when the problem is something that is not there. */
  readonly line: number | null;
  /** Dotted path of the setting. */
  readonly setting: string;
  readonly message: string;
  readonly suggestion: string | null;
}

/** The schema's complaints in the words of the file: line numbers, and the nearest name for a misspelt one. */
export function configProblems(
  issues: readonly z.core.$ZodIssue[],
  schema: z.ZodType,
  value: unknown,
  document: Document,
  lines: LineCounter,
): ConfigProblem[] {
  return issues.flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys') return [valueProblem(issue, document, lines)];
    const known = knownKeys(schema, issue.path, value);
    return issue.keys.map((key) => unknownKey(key, issue.path, known, document, lines));
  });
}

function unknownKey(
  key: string,
  path: readonly PropertyKey[],
  known: readonly string[],
  document: Document,
  lines: LineCounter,
): ConfigProblem {
  const suggestion = nearest(key, known);
  const where = path.length > 0 ? ` in ${path.join('.')}` : '';
  const advice = suggestion ? `did you mean "${suggestion}"?` : `known here: ${[...known].sort().join(', ')}`;
  return {
    line: lineOfKey(document, [...path, key], lines),
    setting: [...path, key].join('.'),
    message: `unknown key "${key}"${where}; ${advice}`,
    suggestion,
  };
}

function valueProblem(issue: z.core.$ZodIssue, document: Document, lines: LineCounter): ConfigProblem {
  const setting = issue.path.join('.');
  const found = issue.path.length > 0 ? document.getIn(issue.path.map(String)) : undefined;
  // An address may hold what a service knows its users by.
  const secret = issue.path.at(-1) === 'url';
  const given =
    !secret && (typeof found === 'string' || typeof found === 'number' || typeof found === 'boolean');
  const shown = given ? ` (found ${JSON.stringify(found)})` : '';
  return {
    line: lineOfKey(document, issue.path, lines),
    setting,
    message: `${setting === '' ? 'the file' : setting}: ${lowerFirst(issue.message)}${shown}`,
    suggestion: null,
  };
}

/** The line of the key at `path`, or of its nearest ancestor that is there. */
export function lineOfKey(
  document: Document,
  path: readonly PropertyKey[],
  lines: LineCounter,
): number | null {
  let map: unknown = document.contents;
  let line: number | null = null;
  for (const step of path) {
    if (!isMap(map)) break;
    const pair = map.items.find((item) => isScalar(item.key) && String(item.key.value) === String(step));
    if (!pair) break;
    const key: unknown = pair.key;
    if (isNode(key) && key.range) line = lines.linePos(key.range[0]).line;
    map = pair.value;
  }
  return line;
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

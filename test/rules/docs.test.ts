import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from './workspaces.ts';

const SKIPPED = new Set(['node_modules', '.git']);
const DOCUMENTS = filesBelow('.').filter(isDocument);
const SOURCES = filesBelow('.').filter((path) => /\.(ts|mjs|sh)$/.test(path));

/** Words that mark what should have been finished, or that say nothing. Upper case where only the mark is meant. */
const BANNED = [
  /\bTODO\b/,
  /\bFIXME\b/,
  /\bXXX\b/,
  /\bTBD\b/,
  /lorem ipsum/i,
  /military[- ]grade/i,
  /unbreakable/i,
];

function filesBelow(directory: string): string[] {
  return readdirSync(join(ROOT, directory), { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (SKIPPED.has(entry.name)) return [];
    if (entry.isDirectory()) return filesBelow(path);
    return entry.isFile() ? [path] : [];
  });
}

function isDocument(path: string): boolean {
  return path.endsWith('.md');
}

const textOf = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** Without code blocks, whose brackets are no links. */
function prose(text: string): string {
  return text.replace(/^(```|~~~)[\s\S]*?^\1/gm, '');
}

interface Link {
  readonly target: string;
  readonly anchor: string | null;
}

/** Links to files of this repository; `target` is relative to its root. */
function linksIn(path: string): Link[] {
  const withoutSpans = prose(textOf(path)).replace(/`[^`\n]*`/g, '');
  return [...withoutSpans.matchAll(/(?:\]\(|^\[[^\]]+\]: +)([^()\s]+)/gm)].flatMap(([, href]) => {
    if (/^[a-z][a-z0-9+.-]*:/i.test(href!)) return [];
    const [file, anchor] = href!.split('#');
    const target = file === '' ? path : normalize(join(dirname(path), file!));
    return [{ target, anchor: anchor ?? null }];
  });
}

/** As GitHub makes them: lower case, punctuation dropped, spaces to hyphens, repeats numbered. */
function anchorsOf(path: string): Set<string> {
  const anchors = new Set<string>();
  const counts = new Map<string, number>();
  for (const [, heading] of prose(textOf(path)).matchAll(/^#{1,6} +(.+?)\s*$/gm)) {
    const text = heading!.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const slug = text.replace(/[^\p{L}\p{N}\p{M}_ -]/gu, '').replaceAll(' ', '-');
    const count = counts.get(slug) ?? 0;
    counts.set(slug, count + 1);
    anchors.add(count === 0 ? slug : `${slug}-${count}`);
  }
  return anchors;
}

function brokenLinks(path: string): string[] {
  return linksIn(path).flatMap(({ target, anchor }) => {
    if (target.startsWith('..')) return [`${path}: ${target} lies outside of the repository`];
    if (!existsSync(join(ROOT, target))) return [`${path}: there is no ${target}`];
    if (anchor === null || !isDocument(target) || anchorsOf(target).has(anchor)) return [];
    return [`${path}: ${target} has no heading for #${anchor}`];
  });
}

/** Files of ours named in code spans: by their path, or by its end where the document has said which folder it means. */
function missingFiles(path: string): string[] {
  const spans = [...prose(textOf(path)).matchAll(/`([^`\n]+)`/g)].map(([, span]) => span!);
  const named = spans.filter((span) => /^[\w@.-]+(\/[\w@.-]+)*\.(ts|mjs)$/.test(span));
  return named
    .filter((name) => !SOURCES.some((source) => source === name || source.endsWith(`/${name}`)))
    .map((name) => `${path}: no file of ours is called ${name}`);
}

test('links in documents lead somewhere', () => {
  expect(DOCUMENTS.flatMap(brokenLinks)).toEqual([]);
});

test('files named in documents exist', () => {
  expect(DOCUMENTS.flatMap(missingFiles)).toEqual([]);
});

test('every document can be found from docs/README.md', () => {
  const found = new Set<string>();
  const visit = (path: string): void => {
    if (found.has(path)) return;
    found.add(path);
    for (const { target } of linksIn(path)) {
      if (isDocument(target) && existsSync(join(ROOT, target))) visit(target);
    }
  };
  visit('docs/README.md');
  const hidden = DOCUMENTS.filter((path) => path.startsWith('docs/') && !found.has(path));
  expect(hidden.map((path) => `${relative('docs', path)} is linked from nowhere`)).toEqual([]);
});

test('documents are finished', () => {
  const marks = DOCUMENTS.flatMap((path) =>
    textOf(path)
      .split('\n')
      .flatMap((line, i) =>
        BANNED.filter((word) => word.test(line)).map((word) => `${path}:${i + 1} has ${word}`),
      ),
  );
  expect(marks).toEqual([]);
});

import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

export const ROOT = resolve(import.meta.dirname, '../..');

export interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

export interface Workspace {
  /** Without the scope: `engine`. */
  readonly name: string;
  /** From the root: `packages/engine`. */
  readonly directory: string;
  readonly manifest: Manifest;
}

export interface Import {
  /** From the root. */
  readonly file: string;
  readonly specifier: string;
}

/** What it needs when it runs. */
export const declared = ({ dependencies, optionalDependencies, peerDependencies }: Manifest) => ({
  ...dependencies,
  ...optionalDependencies,
  ...peerDependencies,
});

export const readManifest = (directory: string): Manifest =>
  JSON.parse(readFileSync(join(ROOT, directory, 'package.json'), 'utf8'));

export function workspaces(): Workspace[] {
  return globSync(['packages/*/package.json', 'apps/*/package.json'], { cwd: ROOT })
    .sort()
    .map((path) => {
      const directory = dirname(path);
      const manifest = readManifest(directory);
      return { name: manifest.name.replace('@holdfast/', ''), directory, manifest };
    });
}

/** All imports of the source files below the directory; none when there is no such directory. */
export function importsBelow(directory: string): Import[] {
  if (!existsSync(join(ROOT, directory))) return [];
  const files = globSync(`${directory}/**/*.{ts,mts,js,mjs}`, {
    cwd: ROOT,
    exclude: (path) => path.endsWith('node_modules'),
  });
  return files.sort().flatMap((file) => {
    const source = readFileSync(join(ROOT, file), 'utf8');
    return importsIn(source).map((specifier) => ({ file, specifier }));
  });
}

/** What a source imports, re-exports, requires or loads, in any form; comments aside. */
export function importsIn(source: string): string[] {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
  const forms = [
    /^\s*(?:import|export)\s[^'"`;]*?\sfrom\s*['"]([^'"]+)['"]/gm,
    /^\s*import\s*['"]([^'"]+)['"]/gm,
    /\bimport\(\s*['"]([^'"]+)['"]/g,
    /\b(?:require|createRequire\([^)]*\))(?:\.resolve)?\(\s*['"]([^'"]+)['"]/g,
    /\bimport\.meta\.resolve\(\s*['"]([^'"]+)['"]/g,
  ];
  return forms.flatMap((form) => [...code.matchAll(form)].map((match) => match[1]!));
}

/** `@scope/name` or `name` of a specifier that names a package; null for files and for Node's own modules. */
export function packageOf(specifier: string): string | null {
  if (specifier.startsWith('.') || specifier.startsWith('/') || specifier.startsWith('node:')) return null;
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

/** The directory of the workspace that a relative import leads to, from the root. */
export function targetOf({ file, specifier }: Import): string {
  return relative(ROOT, resolve(ROOT, dirname(file), specifier));
}

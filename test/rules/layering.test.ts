import { isBuiltin } from 'node:module';
import { describe, expect, test } from 'vitest';
import {
  declared,
  importsBelow,
  importsIn,
  packageOf,
  readManifest,
  targetOf,
  type Workspace,
  workspaces,
} from './workspaces.ts';

/** The direction of the architecture: whoever stands left never imports who stands right, nor a neighbour. */
const LAYERS = [
  ['contracts'],
  ['erasure', 'crypto', 'formats', 'placement'],
  ['sources', 'catalog', 'network'],
  ['engine'],
  ['node'],
  ['cli'],
];
/** The engine knows these through ports only; they meet in node and cli. */
const BEHIND_PORTS = ['sources', 'catalog', 'network'];

const allowed = (name: string): string[] => {
  if (name === 'testing') return ['contracts'];
  const layer = LAYERS.findIndex((names) => names.includes(name));
  const left = LAYERS.slice(0, Math.max(0, layer)).flat();
  return name === 'engine' ? left.filter((other) => !BEHIND_PORTS.includes(other)) : left;
};

const all = workspaces();
const ours = (specifier: string): string | null => {
  const name = packageOf(specifier);
  return name?.startsWith('@holdfast/') ? name.slice('@holdfast/'.length) : null;
};
test('every workspace has its place', () => {
  const placed = [...LAYERS.flat(), 'testing'];
  expect(all.map(({ name }) => name).filter((name) => !placed.includes(name))).toEqual([]);
});

describe.each(all)('$directory', (workspace: Workspace) => {
  const { name, directory, manifest } = workspace;
  const imports = importsBelow(`${directory}/src`).concat(importsBelow(`${directory}/bin`));

  test('imports only what stands left of it', () => {
    const may = allowed(name);
    const wrong = imports.flatMap(({ file, specifier }) => {
      const other = ours(specifier);
      if (other === null || may.includes(other)) return [];
      return [
        `${file} imports @holdfast/${other}; ${name} may import ${may.join(', ') || 'nothing of ours'}`,
      ];
    });
    expect(wrong).toEqual([]);
  });

  test('does not reach into another workspace by a relative path', () => {
    const wrong = imports
      .filter(({ specifier }) => specifier.startsWith('.'))
      .filter((found) => !targetOf(found).startsWith(`${directory}/`))
      .map(({ file, specifier }) => `${file} imports ${specifier}, which lies outside of ${directory}`);
    expect(wrong).toEqual([]);
  });

  test('declares what it imports', () => {
    const wrong = imports.flatMap(({ file, specifier }) => {
      const used = packageOf(specifier);
      if (used === null || used in declared(manifest)) return [];
      if (isBuiltin(specifier)) return [`${file} imports ${specifier}; write node:${specifier}`];
      return [`${file} imports ${used}, which ${directory}/package.json does not list as a dependency`];
    });
    expect(wrong).toEqual([]);
  });

  test('imports what it declares', () => {
    const used = new Set(imports.map(({ specifier }) => packageOf(specifier)));
    const unused = Object.keys(declared(manifest)).filter((dependency) => !used.has(dependency));
    expect(
      unused.map((dependency) => `${directory}/package.json lists ${dependency}, which src does not import`),
    ).toEqual([]);
  });

  test('its tests import nothing that is declared nowhere', () => {
    const known = {
      ...declared(manifest),
      ...manifest.devDependencies,
      ...readManifest('.').devDependencies,
    };
    const wrong = importsBelow(`${directory}/test`).flatMap(({ file, specifier }) => {
      const used = packageOf(specifier);
      if (used === null || used in known || all.some((other) => other.manifest.name === used)) return [];
      return [`${file} imports ${used}, which neither ${directory}/package.json nor the root's lists`];
    });
    expect(wrong).toEqual([]);
  });
});

/** These are never shipped: what any workspace brings along is at hand. */
test.each(['tools', 'benchmarks', 'test'])('%s imports nothing that is declared nowhere', (directory) => {
  const manifests = [readManifest('.'), ...all.map(({ manifest }) => manifest)];
  const known = new Set(
    manifests.flatMap((manifest) => [
      manifest.name,
      ...Object.keys(declared(manifest)),
      ...Object.keys(manifest.devDependencies ?? {}),
    ]),
  );
  const wrong = importsBelow(directory)
    // The samples at the end of this file are no imports.
    .filter(({ file }) => !import.meta.filename.endsWith(file))
    .flatMap(({ file, specifier }) => {
      const used = packageOf(specifier);
      return used === null || known.has(used) ? [] : [`${file} imports ${used}, which no package.json lists`];
    });
  expect(wrong).toEqual([]);
});

test('versions are pinned exactly; workspaces take each other as they are', () => {
  const manifests = [{ directory: '.', manifest: readManifest('.') }, ...all];
  const wrong = manifests.flatMap(({ directory, manifest }) =>
    Object.entries({ ...declared(manifest), ...manifest.devDependencies })
      .filter(([dependency, version]) =>
        dependency.startsWith('@holdfast/')
          ? version !== '*'
          : !/^(npm:[\w@/-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/.test(version),
      )
      .map(([dependency, version]) => `${directory}/package.json: ${dependency} is "${version}"`),
  );
  expect(wrong).toEqual([]);
});

test('imports are found in all their forms, and not in comments', () => {
  const source = `
    import type { A } from '@holdfast/a';
    import {
      b,
    } from "b/sub";
    import 'c';
    export * from './d.ts';
    const e = await import('e');
    createRequire(import.meta.url)('@f/f/deep');
    new URL(import.meta.resolve('g'));
    // import h from 'h';
    /* import i from 'i'; */
    const text = 'a letter from "j"';
  `;
  expect(importsIn(source).sort()).toEqual(['./d.ts', '@f/f/deep', '@holdfast/a', 'b/sub', 'c', 'e', 'g']);
  expect(['@f/f/deep', 'b/sub', './d.ts', 'node:fs'].map(packageOf)).toEqual(['@f/f', 'b', null, null]);
});

test('the rule itself says what the architecture says', () => {
  expect(allowed('contracts')).toEqual([]);
  expect(allowed('formats')).toEqual(['contracts']);
  expect(allowed('network')).toEqual(['contracts', 'erasure', 'crypto', 'formats', 'placement']);
  expect(allowed('engine')).toEqual(['contracts', 'erasure', 'crypto', 'formats', 'placement']);
  expect(allowed('node')).toContain('network');
  expect(allowed('cli')).toContain('node');
  for (const { name } of all) expect(allowed(name)).not.toContain('testing');
});

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { PeerProcess } from './peer-process.ts';

const run = promisify(execFile);

/** Pinned. The addon is no dependency of ours: it compiles when it is installed, which nothing of ours may. */
const ADDON = { name: '@ronomon/reed-solomon', version: '6.0.0' };
/** It is written against Node-API, so these headers serve for every Node, and no others have to be downloaded. */
const HEADERS = { name: 'node-api-headers', version: '1.9.0' };
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/holdfast-bench', import.meta.url));
const PROCESS = fileURLToPath(new URL('ronomon-process.ts', import.meta.url));
/** As node-gyp compiles it. */
const FLAGS = ['-O3', '-std=c99', '-fPIC', '-shared', '-pthread', '-fno-omit-frame-pointer'];

/** The native addon, fetched with npm once and compiled into `directory`; none, and why, where it cannot be had. */
export async function ronomonCoders(directory: string, tell: (line: string) => void): Promise<PeerProcess[]> {
  const binding = join(directory, 'binding.node');
  try {
    const modules = await fetchOnce(tell);
    const include = join(modules, HEADERS.name, 'include');
    const source = join(modules, ADDON.name, 'binding.c');
    await run('cc', [...FLAGS, '-DNODE_GYP_MODULE_NAME=binding', `-I${include}`, '-o', binding, source]);
  } catch (error) {
    const reason = (error as Error).message.trim().split('\n').slice(0, 3).join('\n');
    tell(`${ADDON.name}: npm's registry and a C compiler are needed. Its ratios are left out.\n${reason}`);
    return [];
  }
  // It codes in libuv's threads: one, as for everyone.
  const env = { ...process.env, UV_THREADPOOL_SIZE: '1' };
  return [await PeerProcess.start('ronomon', process.execPath, [PROCESS, binding, ADDON.version], env)];
}

/** The folder that both packages lie in. */
async function fetchOnce(tell: (line: string) => void): Promise<string> {
  const packages = [ADDON, HEADERS].map(({ name, version }) => `${name}@${version}`);
  const directory = join(CACHE, packages.join('+').replace('/', '-'));
  const modules = join(directory, 'node_modules');
  if (existsSync(join(modules, HEADERS.name)) && existsSync(join(modules, ADDON.name))) return modules;
  tell(`fetching ${packages.join(' and ')} …`);
  await mkdir(directory, { recursive: true });
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock'];
  await run('npm', ['install', '--prefix', directory, ...quiet, ...packages]);
  return modules;
}

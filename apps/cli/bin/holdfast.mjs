#!/usr/bin/env -S node --max-semi-space-size=4
// The flag bounds the young generation: with thousands of files under way V8 would let it grow to 100 MiB, and be no faster.
import { mkdirSync } from 'node:fs';
// This file must parse and run on any Node since 14.18: it only says what to do when Node is too old for the rest,
// which is TypeScript run directly.
import * as nodeModule from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

const NEEDED = 24;
/** Documented in docs/cli.md; the same code as FORMAT_VERSION: "this program, or what runs it, is too old". */
const EXIT_TOO_OLD = 10;

const major = Number(process.versions.node.split('.')[0]);
if (major < NEEDED) {
  const message = `Holdfast needs Node ${NEEDED} or newer; this is ${process.version} (${process.execPath}).`;
  const hint =
    `Install the current LTS from https://nodejs.org, or with a version manager: nvm install ${NEEDED} && ` +
    `nvm use ${NEEDED}. Inside a clone of Holdfast, "npm ci" brings a fitting Node: start with "npm run holdfast --".`;
  if (process.argv.includes('--json')) {
    process.stdout.write(`${JSON.stringify({ error: { code: 'USAGE', message, hint, details: {} } })}\n`);
  } else {
    process.stderr.write(`${message}\n${hint}\n`);
  }
  process.exitCode = EXIT_TOO_OLD;
} else {
  start();
}

/**
 * In a directory of one's own: Node's default lies in the shared temporary directory, where another user could put
 * code for us to run. Without a place for it the program starts slower, that is all.
 */
function enableCompileCache() {
  const directory = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'holdfast', 'compiled');
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    nodeModule.enableCompileCache(directory);
  } catch {
    // No home directory, or a read-only one.
  }
}

function start() {
  enableCompileCache();
  // Threads and child processes learn of the cache by this alone; without it each sealing thread compiles anew.
  const cache = nodeModule.getCompileCacheDir();
  if (cache && !process.env.NODE_COMPILE_CACHE) process.env.NODE_COMPILE_CACHE = dirname(cache);
  // Quieten only the notices about features that Holdfast relies on by decision (node:sqlite); all others stay.
  const emit = process.emitWarning;
  process.emitWarning = (warning, ...rest) => {
    const experimental = rest[0] === 'ExperimentalWarning' || rest[0]?.type === 'ExperimentalWarning';
    if (!experimental) emit.call(process, warning, ...rest);
  };
  import('../src/main.ts').then((program) => program.main(process.argv));
}

/**
 * `npm test`: everything that CI checks, in order, each under a heading and with its time. The last line is the sum of
 * vitest's own counts, alone on its line. A lint or type check that fails, and a test file that cannot even be loaded,
 * count as one failure each: they have no tests to count.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const bin = (name: string): string => join(ROOT, 'node_modules', '.bin', name);

interface Counts {
  passed: number;
  failed: number;
  /** Full names. */
  readonly skipped: string[];
}

/** The parts used here of what vitest's `json` reporter writes. */
interface RunnerReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

const scratch = await mkdtemp(join(tmpdir(), 'holdfast-test-'));
const counts: Counts = { passed: 0, failed: 0, skipped: [] };
const remarks: string[] = [];
try {
  await check('Lint and format (biome)', bin('biome'), ['check', '--error-on-warnings', '.']);
  await check('Types (tsc)', bin('tsc'), ['--noEmit']);
  await tests('Unit, property and contract tests', 'unit');
  await tests('End to end, with real processes', 'e2e');
} finally {
  await rm(scratch, { recursive: true, force: true });
}
summarise();

async function check(title: string, command: string, args: readonly string[]): Promise<void> {
  const code = await run(title, command, args);
  if (code === 0) return;
  counts.failed++;
  remarks.push(`${title} failed with exit code ${code}; it counts as one failure.`);
}

async function tests(title: string, project: string): Promise<void> {
  const report = join(scratch, `${project}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const code = await run(title, bin('vitest'), ['run', '--project', project, ...reporters]);
  const before = counts.failed;
  try {
    add(JSON.parse(await readFile(report, 'utf8')) as RunnerReport);
  } catch {
    remarks.push(`${title}: the runner left no report.`);
  }
  if (code === 0 || counts.failed > before) return;
  counts.failed++;
  remarks.push(`${title}: the runner ended with exit code ${code}; it counts as one failure.`);
}

function add(report: RunnerReport): void {
  counts.passed += report.numPassedTests;
  counts.failed += report.numFailedTests;
  for (const { name, status, assertionResults } of report.testResults) {
    const file = relative(ROOT, name);
    if (status === 'failed' && !assertionResults.some((test) => test.status === 'failed')) {
      counts.failed++;
      remarks.push(`${file} could not be run as a whole; it counts as one failure.`);
    }
    for (const test of assertionResults) {
      if (test.status !== 'passed' && test.status !== 'failed')
        counts.skipped.push(`${file}: ${test.fullName}`);
    }
  }
}

/** Output goes straight to ours. Returns the exit code; 1 when a signal ended it or it could not be started. */
async function run(title: string, command: string, args: readonly string[]): Promise<number> {
  console.log(`\n== ${title}`);
  const start = performance.now();
  const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
  const code = await new Promise<number>((resolve) => {
    child.once('error', (error) => {
      console.log(error.message);
      resolve(1);
    });
    child.once('exit', (status) => resolve(status ?? 1));
  });
  console.log(
    `== ${title}: ${code === 0 ? 'ok' : 'FAILED'}, ${((performance.now() - start) / 1000).toFixed(1)} s`,
  );
  return code;
}

function summarise(): void {
  const { passed, failed, skipped } = counts;
  console.log('');
  for (const remark of remarks) console.log(remark);
  for (const name of skipped) console.log(`Skipped: ${name}`);
  if (failed > 0 || passed === 0) process.exitCode = 1;
  console.log(`${passed} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`);
}

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FuzzOptions, fuzzOptions, USAGE } from './fuzz/options.ts';
import type { SavedFinding } from './fuzz/protocol.ts';
import { allTargets, type Listed } from './fuzz/targets/index.ts';
import { trial } from './fuzz/trial.ts';
import { type Watched, watch } from './fuzz/watch.ts';

const tell = (line: string): void => console.error(line);

async function main(): Promise<void> {
  const options = fuzzOptions(process.argv.slice(2));
  if (options === null) {
    console.log(`${USAGE}\n\nTargets: ${namesOf(await allTargets())}`);
    return;
  }
  if (options.replay !== null) await replay(options.replay);
  else await fuzz(options);
}

async function fuzz(options: FuzzOptions): Promise<void> {
  const targets = chosen(await allTargets(), options.targets);
  tell(
    `seed ${options.seed}, ${targets.length} targets; repeat with: npm run soak:fuzz -- --seed ${options.seed}`,
  );
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-fuzz-'));
  const results: (Watched & { target: string })[] = [];
  const started = performance.now();
  const milliseconds = options.seconds === null ? null : (options.seconds * 1000) / targets.length;
  for (const { group, target } of targets) {
    const { name } = target;
    if (stop.signal.aborted) break;
    const result = await watch(
      {
        group,
        target: name,
        seed: options.seed,
        milliseconds,
        runs: options.runs,
        journal: join(directory, `${name}.current`),
      },
      stop.signal,
    );
    results.push({ target: name, ...result });
    tell(line(name, result));
  }
  const findings = results.flatMap((result) => result.findings);
  const kept = await save(findings, directory);
  show(options, results, kept, {
    seconds: (performance.now() - started) / 1000,
    stopped: stop.signal.aborted,
  });
  process.exitCode = findings.length > 0 ? 1 : stop.signal.aborted ? 130 : 0;
}

/** By name, or by the beginning of names where none is the same. */
function chosen(all: readonly Listed[], wanted: readonly string[]): readonly Listed[] {
  if (wanted.length === 0) return all;
  const names = all.map(({ target }) => target.name);
  const found = wanted.flatMap((text) => {
    const matching = names.includes(text) ? [text] : names.filter((name) => name.startsWith(text));
    if (matching.length === 0) throw new Error(`There is no target "${text}". There are: ${namesOf(all)}`);
    return matching;
  });
  return all.filter(({ target }) => found.includes(target.name));
}

const namesOf = (all: readonly Listed[]): string => all.map(({ target }) => target.name).join(', ');

const rate = ({ totals, seconds }: Watched): number => Math.round(totals.runs / Math.max(seconds, 0.001));

function line(name: string, result: Watched): string {
  const { runs, accepted, refused, corpus, reached } = result.totals;
  return (
    `${name.padEnd(20)} ${String(runs).padStart(9)} runs, ${String(rate(result)).padStart(6)} a second; ` +
    `${accepted} accepted, ${refused} refused; corpus +${corpus}, ${reached} characters reached; ` +
    `${result.findings.length} findings`
  );
}

/** A file for each finding; null and nothing left when there is none. */
async function save(findings: readonly SavedFinding[], directory: string): Promise<string | null> {
  if (findings.length === 0) {
    await rm(directory, { recursive: true });
    return null;
  }
  await mkdir(directory, { recursive: true });
  for (const [i, finding] of findings.entries()) {
    const path = join(directory, `${finding.target}-${i + 1}.json`);
    await writeFile(path, `${JSON.stringify(finding, null, 2)}\n`);
    tell(`${path}: ${finding.reason}`);
  }
  return directory;
}

function show(
  options: FuzzOptions,
  results: readonly (Watched & { target: string })[],
  findings: string | null,
  facts: { seconds: number; stopped: boolean },
): void {
  const runs = results.reduce((sum, { totals }) => sum + totals.runs, 0);
  const found = results.reduce((sum, result) => sum + result.findings.length, 0);
  const seconds = Math.round(facts.seconds);
  if (options.json) {
    const targets = results.map(({ target, totals, seconds: own, findings: list }) => ({
      target,
      ...totals,
      seconds: own,
      findings: list,
    }));
    console.log(JSON.stringify({ soak: 'fuzz', seed: options.seed, ...facts, seconds, runs, targets }));
    return;
  }
  console.log(`seed             ${options.seed}`);
  console.log(`targets          ${results.length}${facts.stopped ? ', stopped before the end' : ''}`);
  console.log(`runs             ${runs} in ${seconds} s`);
  console.log(`violations       ${found === 0 ? 'none' : `${found}, saved in ${findings}`}`);
}

async function replay(path: string): Promise<void> {
  const finding = JSON.parse(await readFile(path, 'utf8')) as SavedFinding;
  const target = (await allTargets()).find((listed) => listed.target.name === finding.target)?.target;
  if (!target) throw new Error(`There is no target "${finding.target}".`);
  try {
    console.log(`${target.name}: ${await trial(target, Buffer.from(finding.input, 'base64'))}`);
  } catch (error) {
    console.log(error);
    process.exitCode = 1;
  }
}

await main();

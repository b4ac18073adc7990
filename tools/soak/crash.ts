import { mkdir } from 'node:fs/promises';
import { Lab } from '../../test/e2e/support/lab.ts';
import { CrashRun } from './crash-run.ts';
import { type SoakOptions, soakOptions, USAGE } from './options.ts';
import { editRandom } from './schedule.ts';
import { databaseSource, filesSource, type SoakSource } from './soak-source.ts';

/** Eight peers of six operators: with any two down there is still one to spare for every stripe of five. */
const SWARM = { peers: 8, k: 3, m: 2, operators: 6 };

async function main(): Promise<void> {
  const options = soakOptions(process.argv.slice(2));
  if (options === null) {
    console.log(USAGE);
    return;
  }
  const tell = (line: string): void => console.error(line);
  tell(
    `seed ${options.seed}, ${options.kills} kills; repeat with: npm run soak:crash -- --seed ${options.seed}`,
  );
  const started = performance.now();
  const lab = await Lab.up(SWARM);
  let kept = options.keep;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
  try {
    const run = new CrashRun(lab, await prepare(lab, options), options, tell);
    await run.execute();
    const { violations, totals } = run;
    kept ||= violations.length > 0;
    const seconds = Math.round((performance.now() - started) / 1000);
    show(options, { soak: 'crash', seed: options.seed, ...totals, violations, seconds });
    process.exitCode = violations.length === 0 ? 0 : 1;
  } finally {
    if (kept) tell(`The swarm's files are kept in ${lab.directory}`);
    await lab.down({ keep: kept });
  }
}

/** Both sources, configured in the vault. */
async function prepare(lab: Lab, options: SoakOptions): Promise<SoakSource[]> {
  const directory = lab.path('sources');
  await mkdir(directory);
  const sources = [databaseSource(directory), filesSource(directory)];
  for (const source of sources) {
    await source.create(editRandom(options.seed, 0));
    await lab.must(['source', 'add', source.name, source.kind, source.path]);
  }
  return sources;
}

function show(options: SoakOptions, result: Readonly<Record<string, unknown>>): void {
  if (options.json) {
    console.log(JSON.stringify(result));
    return;
  }
  for (const [name, value] of Object.entries(result)) {
    console.log(
      `${name.padEnd(16)} ${Array.isArray(value) ? value.join('\n                 ') || 'none' : value}`,
    );
  }
}

await main();

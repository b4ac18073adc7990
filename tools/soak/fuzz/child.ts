import { openSync } from 'node:fs';
import { setImmediate as otherTasks } from 'node:timers/promises';
import { Campaign, type CampaignTotals } from './campaign.ts';
import { type ChildTask, type FromChild, STOP, saved, writeJournal } from './protocol.ts';
import { targetsOf } from './targets/index.ts';

/** A process for one target, so that nothing it does can take the others or the report along. */
const task = JSON.parse(process.argv[2]!) as ChildTask;
const PROGRESS_MS = 500;

const journal = openSync(task.journal, 'w');
const target = (await targetsOf(task.group)).find(({ name }) => name === task.target)!;
const started = performance.now();
let stopped = false;
let told = started;
process.on('message', (message) => {
  stopped ||= message === STOP;
});
// Ctrl-C reaches the whole group of processes; the parent says when to stop.
process.on('SIGINT', () => {});

const tell = (message: FromChild): Promise<void> =>
  new Promise((resolve) => process.send!(message, undefined, undefined, () => resolve()));

async function pause(totals: CampaignTotals): Promise<void> {
  if (performance.now() - told < PROGRESS_MS) return;
  told = performance.now();
  await tell({ type: 'progress', totals });
  await otherTasks();
}

const campaign = new Campaign(target, {
  seed: task.seed,
  guided: true,
  goesOn: ({ runs }) =>
    !stopped &&
    (task.runs === null || runs < task.runs) &&
    (task.milliseconds === null || performance.now() - started < task.milliseconds),
  begins: (run, input) => writeJournal(journal, run, input),
  pause,
});
await campaign.run();
await tell({ type: 'done', totals: campaign.totals, findings: campaign.findings.map(saved) });
process.disconnect();

import { type ChildProcess, fork } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { CampaignTotals } from './campaign.ts';
import { type ChildTask, type FromChild, readJournal, type SavedFinding, STOP } from './protocol.ts';

export interface Watched {
  readonly totals: CampaignTotals;
  readonly findings: readonly SavedFinding[];
  readonly seconds: number;
}

const CHILD = fileURLToPath(new URL('./child.ts', import.meta.url));
/** A child reports twice a second, and an attempt that takes longer than one second is a finding already. */
const SILENCE_MS = 15_000;
/** What decoders may not fill, however often they are called. */
const HEAP_MIB = 1024;

/** Runs one target in a process of its own. Whatever ends that process is a finding, with the input that did it. */
export async function watch(task: ChildTask, stop: AbortSignal): Promise<Watched> {
  const started = performance.now();
  const child = fork(CHILD, [JSON.stringify(task)], { execArgv: [`--max-old-space-size=${HEAP_MIB}`] });
  const onStop = (): void => {
    if (child.connected) child.send(STOP);
  };
  stop.addEventListener('abort', onStop);
  try {
    const ended = await untilEnded(child, task);
    return { ...ended, seconds: (performance.now() - started) / 1000 };
  } finally {
    stop.removeEventListener('abort', onStop);
  }
}

async function untilEnded(child: ChildProcess, task: ChildTask): Promise<Omit<Watched, 'seconds'>> {
  let totals: CampaignTotals = { runs: 0, accepted: 0, refused: 0, corpus: 0, reached: 0 };
  let findings: readonly SavedFinding[] | null = null;
  let hung = false;
  const kill = (): void => {
    hung = true;
    child.kill('SIGKILL');
  };
  let silence = setTimeout(kill, SILENCE_MS);
  child.on('message', (message: FromChild) => {
    clearTimeout(silence);
    silence = setTimeout(kill, SILENCE_MS);
    totals = message.totals;
    if (message.type === 'done') findings = message.findings;
  });
  const how = await new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  clearTimeout(silence);
  if (findings !== null) return { totals, findings };
  // Ctrl-C before it had learnt to leave that to its parent.
  if (how === 'SIGINT') return { totals, findings: [] };
  const { run, input } = readJournal(await readFile(task.journal).catch(() => Buffer.alloc(0)));
  const reason = hung
    ? `It does not end: stopped after ${SILENCE_MS / 1000} s.`
    : `It ended the process: ${how}`;
  const { target, seed } = task;
  const finding = { target, seed, run, reason, input: Buffer.from(input).toString('base64') };
  return { totals: { ...totals, runs: Math.max(totals.runs, run) }, findings: [finding] };
}

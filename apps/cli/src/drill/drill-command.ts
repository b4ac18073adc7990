import type { HoldfastError } from '@holdfast/contracts';
import { parseServerUrl } from '../config/database-url.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { Invocation } from '../invocation.ts';
import { drillJson, drillLines } from '../output/drill-view.ts';
import { asHoldfastError, errorJson } from '../output/errors.ts';
import { RunEvents } from '../output/run-events.ts';
import { type OpenVault, openVault } from '../vault/open.ts';
import { type DrillOptions, drillPlace } from './drill-options.ts';
import { drillFailure, runDrill, snapshotsToDrill } from './run-drill.ts';

interface Drilled {
  readonly json: Record<string, unknown>;
  readonly lines: readonly string[];
  readonly failure: HoldfastError | null;
}

/** One drill after the other; one that fails does not keep the others from being made. The first failure decides. */
export async function drillSnapshots(
  invocation: Invocation,
  options: DrillOptions,
  wanted: string | undefined,
): Promise<ExitCode> {
  const { console, vault, signal } = invocation;
  const place = drillPlace(options);
  const server = place.on === undefined ? null : parseServerUrl(place.on);
  await using opened = await openVault(vault);
  const all = await snapshotsToDrill(opened.catalog, wanted, options.source, server?.kind);
  const drills: Drilled[] = [];
  for (const snapshot of all) {
    drills.push(await drillOne(invocation, opened, snapshot, place));
    if (signal.aborted) break;
  }
  console.progress.clear();
  const failures = drills.flatMap(({ failure }) => failure ?? []);
  return console.outcome(
    { drills: drills.map(({ json }) => json) },
    () => drills.flatMap((drill, i) => [...(i > 0 ? [''] : []), ...linesOf(drill, failures[0])]),
    failures[0] ?? null,
  );
}

/** The first failure is told at the end, as of every command. */
const linesOf = ({ lines, failure }: Drilled, first: HoldfastError | undefined): readonly string[] =>
  failure === null || failure === first ? lines : [...lines, `  ${failure.message} [${failure.code}]`];

async function drillOne(
  { console, signal }: Invocation,
  opened: OpenVault,
  snapshot: Parameters<typeof runDrill>[1],
  place: Parameters<typeof runDrill>[2],
): Promise<Drilled> {
  const names = await opened.peerNames();
  const events = new RunEvents(console, names);
  try {
    const report = await runDrill(opened, snapshot, place, {
      signal,
      onProgress: console.progress.start(`restoring ${snapshot.source}`),
      onTable: console.progress.count(`comparing ${snapshot.source}`, 'part'),
      onEvent: events.tell,
    });
    const failure = drillFailure(report);
    return { json: drillJson(report, names), lines: drillLines(report, names, console.colors), failure };
  } catch (error) {
    const thrown = asHoldfastError(error);
    const failure = thrown.code === 'CANCELLED' && signal.aborted ? asHoldfastError(signal.reason) : thrown;
    const { source, id } = snapshot;
    const line = `${console.colors.red('✗')} The drill of ${console.colors.bold(source)} did not come to its end.`;
    return {
      json: { drill: 'restore', source, snapshot: id, ok: false, ...errorJson(failure) },
      lines: [line],
      failure,
    };
  }
}

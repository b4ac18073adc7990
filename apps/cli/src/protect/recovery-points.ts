import { type Catalog, HoldfastError, type SnapshotRecord } from '@holdfast/contracts';
import type { Engine } from '@holdfast/engine';
import { type BaseSnapshotRef, baseInfo, type WalSnapshotRef, walInfo } from '@holdfast/sources/postgres-wal';
import { appendFacts, readFacts } from './fact-file.ts';
import type { SnapshotFacts } from './fact-line.ts';
import { physicalKind, physicalName, protectLayout } from './names.ts';
import { FACT_OBJECTS } from './noting-source.ts';

/** All that a source can be restored from, oldest first. */
export interface RecoveryPoints {
  readonly bases: readonly BaseSnapshotRef[];
  readonly wals: readonly WalSnapshotRef[];
}

interface From {
  readonly catalog: Catalog;
  readonly engine: Engine;
}

/** Snapshots that the fact file lacks are looked up in their manifests, and added to it. */
export async function recoveryPoints(
  { catalog, engine }: From,
  vault: string,
  source: string,
  signal: AbortSignal,
  onLookup: (done: number, total: number) => void = () => {},
): Promise<RecoveryPoints> {
  const { facts: path } = protectLayout(vault, source);
  const known = await readFacts(path);
  const bases = await complete(catalog, source, 'base');
  const wals = await complete(catalog, source, 'wal');
  const unknown = [...bases, ...wals].filter(
    (snapshot) => understood(known.get(snapshot.id), snapshot) === null,
  );
  for (const [i, snapshot] of unknown.entries()) {
    onLookup(i, unknown.length);
    const found = await lookUp(engine, snapshot, signal);
    known.set(found.id, found);
    // One by one: what was found is kept, also when the next manifest is out of reach. Without the file it is slower, no more.
    await appendFacts(path, [found]).catch(() => {});
  }
  return {
    bases: bases.map((snapshot) => refOf(known, snapshot) as BaseSnapshotRef),
    wals: wals.map((snapshot) => refOf(known, snapshot) as WalSnapshotRef),
  };
}

/** An incomplete one leads nowhere. */
async function complete(catalog: Catalog, source: string, what: 'base' | 'wal'): Promise<SnapshotRecord[]> {
  const all = await catalog.snapshots({ source: physicalName(source, what) });
  return all.filter((snapshot) => snapshot.complete && snapshot.sourceKind === physicalKind(what));
}

function refOf(known: ReadonlyMap<string, SnapshotFacts>, snapshot: SnapshotRecord) {
  const { attributes } = known.get(snapshot.id)!;
  return { ...read(snapshot.sourceKind, attributes), id: snapshot.id };
}

const read = (kind: string, attributes: SnapshotFacts['attributes']) =>
  kind === physicalKind('base') ? baseInfo(attributes) : walInfo(attributes);

/** Null for facts that are missing, of something else or damaged: then the manifest is asked. */
function understood(facts: SnapshotFacts | undefined, { sourceKind }: SnapshotRecord): SnapshotFacts | null {
  if (facts?.kind !== sourceKind) return null;
  try {
    read(sourceKind, facts.attributes);
    return facts;
  } catch {
    return null;
  }
}

async function lookUp(
  engine: Engine,
  { id, sourceKind }: SnapshotRecord,
  signal: AbortSignal,
): Promise<SnapshotFacts> {
  for await (const { kind, attributes } of engine.objects(id, { signal })) {
    if (!FACT_OBJECTS.has(kind)) continue;
    read(sourceKind, attributes);
    return { id, kind: sourceKind, attributes };
  }
  throw new HoldfastError('FORMAT_INVALID', `Snapshot ${id} does not say what it is good for.`, {
    details: { snapshot: id },
  });
}

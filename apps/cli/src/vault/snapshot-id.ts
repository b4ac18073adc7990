import { type Catalog, HoldfastError, type SnapshotRecord } from '@holdfast/contracts';

/** Shorter prefixes would soon become ambiguous, and are more likely a slip. */
const LEAST_PREFIX = 4;

/** `latest` (of `source`, where given), a snapshot's id, or a prefix of it that no other snapshot shares. */
export async function findSnapshot(
  catalog: Catalog,
  wanted: string,
  source?: string,
): Promise<SnapshotRecord> {
  const snapshots = await catalog.snapshots(source === undefined ? {} : { source });
  if (wanted === 'latest') return latest(snapshots, source);
  const prefix = wanted.toLowerCase();
  if (prefix.replaceAll('-', '').length < LEAST_PREFIX) {
    throw new HoldfastError('USAGE', `"${wanted}" is too short for a snapshot's id.`, {
      hint: `Give at least ${LEAST_PREFIX} of its digits, or "latest"; see: holdfast snapshots`,
    });
  }
  const found = snapshots.filter((snapshot) => snapshot.id.startsWith(prefix));
  if (found.length === 1) return found[0]!;
  if (found.length > 1) throw ambiguous(wanted, found);
  const of = source === undefined ? '' : ` of "${source}"`;
  throw new HoldfastError('NOT_FOUND', `There is no snapshot "${wanted}"${of}.`, {
    hint: 'See what there is with: holdfast snapshots',
    details: { snapshot: wanted, source: source ?? null },
  });
}

function latest(snapshots: readonly SnapshotRecord[], source: string | undefined): SnapshotRecord {
  const newest = snapshots.at(-1);
  if (!newest) {
    const of = source === undefined ? '' : ` of "${source}"`;
    throw new HoldfastError('NOT_FOUND', `There is no snapshot${of} yet.`, {
      hint: 'Make one with: holdfast backup',
      details: { source: source ?? null },
    });
  }
  const sources = [...new Set(snapshots.map((snapshot) => snapshot.source))].sort();
  if (sources.length > 1) {
    throw new HoldfastError(
      'USAGE',
      `"latest" of which source? There are snapshots of ${sources.join(', ')}.`,
      {
        hint: 'Add --source NAME.',
        details: { sources },
      },
    );
  }
  return newest;
}

function ambiguous(wanted: string, found: readonly SnapshotRecord[]): HoldfastError {
  const ids = found.map((snapshot) => snapshot.id);
  return new HoldfastError('USAGE', `${found.length} snapshots begin with "${wanted}".`, {
    hint: `Give more digits. They are: ${ids.slice(0, 5).join(', ')}${ids.length > 5 ? ' …' : ''}`,
    details: { snapshots: ids },
  });
}

/** Enough to tell snapshots apart at a glance; `findSnapshot` takes it back. */
export const shortId = (id: string): string => id.slice(0, 8);

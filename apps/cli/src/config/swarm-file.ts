import { readFile, stat } from 'node:fs/promises';
import { HoldfastError, type PeerId } from '@holdfast/contracts';
import type { Candidate } from '@holdfast/placement';
import { parse } from 'yaml';
import { z } from 'zod';
import { parseBytes } from '../units/bytes.ts';
import { parseUptime } from '../units/uptime.ts';

const MOST_BYTES = 1024 * 1024;
const MOST_PEERS = 10_000;
/** Of a peer that does not say: more than any shard. */
const AMPLE = 2 ** 40;

const peer = z.strictObject({
  name: z.string().min(1).max(100),
  operator: z.string().min(1).max(100).optional(),
  region: z.string().regex(/^[a-z0-9][a-z0-9-]*(\/[a-z0-9][a-z0-9-]*)*$/, 'write it like eu/de/berlin'),
  uptime: z.union([z.number(), z.string()]).optional(),
  capacity: z.union([z.number(), z.string()]).optional(),
  failureDomains: z.array(z.string().min(1).max(100)).max(100).optional(),
  count: z.int().min(1).max(MOST_PEERS).default(1),
});

type ListedPeer = z.output<typeof peer>;

const swarm = z.array(peer).min(1).max(MOST_PEERS);

/**
 * Peers that there are not yet, from a list in YAML or JSON. With a count there are so many of a kind, each of an operator of its
 * own unless one is named. USAGE naming the entry for what makes no sense.
 */
export async function readSwarmFile(path: string): Promise<Candidate[]> {
  const listed = swarm.safeParse(await readList(path));
  if (!listed.success) {
    const [issue] = listed.error.issues;
    throw invalid(path, `${entryName(issue!.path)}: ${issue!.message}`);
  }
  const candidates = listed.data.flatMap((entry, i) => candidatesOf(entry, path, i));
  if (candidates.length > MOST_PEERS) throw invalid(path, `more than ${MOST_PEERS} peers`);
  return candidates;
}

async function readList(path: string): Promise<unknown> {
  const text = await readText(path);
  try {
    return parse(text, { maxAliasCount: 100 });
  } catch (error) {
    throw invalid(path, `not YAML or JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function readText(path: string): Promise<string> {
  try {
    if ((await stat(path)).size <= MOST_BYTES) return await readFile(path, 'utf8');
  } catch (error) {
    throw new HoldfastError('USAGE', `${path} cannot be read.`, {
      cause: error,
      hint: 'Name a file with a list of peers.',
    });
  }
  throw invalid(path, 'larger than 1 MiB');
}

function candidatesOf(entry: ListedPeer, path: string, index: number): Candidate[] {
  const { name, operator, region, failureDomains, count } = entry;
  const where = (field: string) => `peer ${index + 1}, ${field}`;
  const uptime =
    entry.uptime === undefined ? undefined : parsed(entry.uptime, parseUptime, path, where('uptime'));
  const bytes =
    entry.capacity === undefined ? AMPLE : parsed(entry.capacity, parseBytes, path, where('capacity'));
  return Array.from({ length: count }, (_, i) => {
    const id = count === 1 ? name : `${name}-${i + 1}`;
    return {
      id: id as PeerId,
      operator: operator ?? id,
      region,
      freeBytes: bytes,
      capacityBytes: bytes,
      uptime,
      ...(failureDomains ? { failureDomains } : {}),
    };
  });
}

/** Names the entry in what the parser of a unit complains about. */
function parsed<T>(given: string | number, parseText: (text: string) => T, path: string, where: string): T {
  try {
    return parseText(String(given));
  } catch (error) {
    if (HoldfastError.is(error, 'USAGE'))
      throw invalid(path, `${where}: ${error.message.replace(/\.$/, '')}`);
    throw error;
  }
}

function entryName(path: readonly PropertyKey[]): string {
  const [index, ...rest] = path;
  if (typeof index !== 'number') return 'the list of peers';
  return [`peer ${index + 1}`, ...rest.map(String)].join(', ');
}

const invalid = (path: string, problem: string): HoldfastError =>
  new HoldfastError('USAGE', `${path}: ${problem}.`, {
    hint: 'Each entry has name, region and, if wanted, operator, uptime, capacity, failureDomains and count.',
    details: { path },
  });

import { mkdir, readdir, rm } from 'node:fs/promises';
import { openCatalog } from '@holdfast/catalog';
import { HoldfastError } from '@holdfast/contracts';
import { acceptGrant, initPeer, joinRequest } from '@holdfast/node';
import type { PolicyConfig } from '../config/schema.ts';
import { admit } from '../vault/admission.ts';
import { createVault } from '../vault/create.ts';
import { vaultLayout } from '../vault/layout.ts';
import { dealt } from './options.ts';
import { startPeerProcess, stopPeerProcess } from './process.ts';
import { LAB_HOST, type LabPeer, type LabState, labLayout, saveLab } from './state.ts';

export interface LabPlan {
  readonly directory: string;
  readonly peers: number;
  readonly regions: readonly string[];
  readonly operators: number;
  readonly capacity: string;
  readonly policy: Pick<PolicyConfig, 'k' | 'm' | 'helpers' | 'maxPerOperator'>;
}

/** Placeholder in a request made before the operating system gave a port; the catalog gets the real one later. */
const UNKNOWN_PORT = 1;

/** From nothing to a vault whose peers all serve. Leaves nothing behind when it fails. */
export async function raiseLab(
  plan: LabPlan,
  tell: (line: string) => void,
  signal: AbortSignal,
): Promise<LabState> {
  const { directory } = plan;
  await claim(directory);
  let state: LabState = { version: 1, vault: labLayout(directory).vault, capacity: plan.capacity, peers: [] };
  try {
    const { vault } = state;
    await createVault({ directory: vault, policy: plan.policy, passphrase: null, swarm: 'holdfast-lab' });
    tell(`Made a vault, and keys for ${plan.peers} peers …`);
    const peers = await admitAll(plan, vault);
    state = { ...state, peers };
    await saveLab(directory, state);
    tell(`Starting ${plan.peers} peer processes …`);
    return await startAll(directory, state, signal);
  } catch (error) {
    for (const peer of state.peers) await stopPeerProcess(peer, 'SIGKILL');
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

/** Starts those peers that do not run, all at once, and tells the vault where they are. */
export async function startAll(directory: string, state: LabState, signal: AbortSignal): Promise<LabState> {
  const results = await Promise.allSettled(
    state.peers.map(async (peer): Promise<LabPeer> => {
      const running = await startPeerProcess(peer, state.capacity, signal);
      return { ...peer, ...running };
    }),
  );
  const peers = results.map((result, i) => (result.status === 'fulfilled' ? result.value : state.peers[i]!));
  const started = { ...state, peers };
  await saveLab(directory, started);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) {
    for (const peer of peers) await stopPeerProcess(peer, 'SIGKILL');
    throw failed.reason;
  }
  await recordAddresses(started);
  return started;
}

async function admitAll(plan: LabPlan, vault: string): Promise<LabPeer[]> {
  const peers: LabPeer[] = [];
  for (let i = 0; i < plan.peers; i++) {
    const facts = {
      name: `peer-${i + 1}`,
      operator: `operator-${(i % plan.operators) + 1}`,
      region: dealt(plan.regions, i),
    };
    const directory = labLayout(plan.directory).peer(i + 1);
    const address = { host: LAB_HOST, port: UNKNOWN_PORT };
    const { id } = await initPeer({ directory, ...facts, ...address });
    const request = await joinRequest(directory);
    const { grant } = await admit(vault, { request, ...facts, address, validDays: 365 });
    await acceptGrant(directory, grant);
    peers.push({ number: i + 1, id, ...facts, directory, host: LAB_HOST, port: 0, pid: null });
  }
  return peers;
}

async function recordAddresses(state: LabState): Promise<void> {
  const catalog = await openCatalog(vaultLayout(state.vault).catalog);
  try {
    const known = new Map((await catalog.peers()).map((peer) => [String(peer.id), peer]));
    for (const { id, host, port } of state.peers) {
      const peer = known.get(id);
      if (peer && peer.port !== port) await catalog.putPeer({ ...peer, host, port });
    }
  } finally {
    await catalog.close();
  }
}

async function claim(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const present = await readdir(directory);
  if (present.length === 0) return;
  const isLab = present.includes('lab.json');
  throw new HoldfastError(
    'ALREADY_EXISTS',
    isLab ? `There is a lab in ${directory} already.` : `${directory} is not empty.`,
    {
      hint: isLab
        ? 'Look at it with "holdfast lab status", or take it down with "holdfast lab down".'
        : 'Choose another with --directory.',
      details: { directory },
    },
  );
}

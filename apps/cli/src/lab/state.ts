import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError } from '@holdfast/contracts';
import { z } from 'zod';
import { writeDurably } from '../vault/durable-file.ts';

const labPeer = z.strictObject({
  /** What `lab kill N` takes; from 1. */
  number: z.int().positive(),
  id: z.string(),
  name: z.string(),
  operator: z.string(),
  region: z.string(),
  directory: z.string(),
  host: z.literal('127.0.0.1'),
  /** 0 until it first ran; kept from then on. */
  port: z.int().min(0).max(65_535),
  /** Null when it was stopped on purpose. */
  pid: z.int().positive().nullable(),
});

const labState = z.strictObject({
  version: z.literal(1),
  vault: z.string(),
  capacity: z.string(),
  peers: z.array(labPeer),
});

export type LabPeer = z.output<typeof labPeer>;
export type LabState = z.output<typeof labState>;

export const LAB_HOST = '127.0.0.1';

export const labLayout = (directory: string) => ({
  state: join(directory, 'lab.json'),
  vault: join(directory, 'vault'),
  peer: (number: number) => join(directory, 'peers', String(number)),
});

export async function saveLab(directory: string, state: LabState): Promise<void> {
  await writeDurably(labLayout(directory).state, `${JSON.stringify(state, null, 2)}\n`);
}

/** NOT_FOUND when there is no lab here; FORMAT_INVALID for a state that this program did not write. */
export async function loadLab(directory: string): Promise<LabState> {
  const path = labLayout(directory).state;
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch {
    throw new HoldfastError('NOT_FOUND', `There is no lab in ${directory}.`, {
      hint: 'Start one with "holdfast lab up", or name it with --directory.',
      details: { directory },
    });
  }
  try {
    return labState.parse(JSON.parse(text));
  } catch (cause) {
    throw new HoldfastError('FORMAT_INVALID', `${path} is not the state of a lab.`, {
      hint: 'Remove the directory by hand once no process of it runs.',
      cause,
    });
  }
}

export function findLabPeer(state: LabState, number: number): LabPeer {
  const peer = state.peers.find((one) => one.number === number);
  if (peer) return peer;
  throw new HoldfastError('NOT_FOUND', `The lab has no peer ${number}.`, {
    hint: `Its peers are 1 to ${state.peers.length}.`,
    details: { number },
  });
}

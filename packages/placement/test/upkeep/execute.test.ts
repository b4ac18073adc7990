import { defaultSettings } from '@holdfast/placement';
import { execute, type PartitionState, type Step, type UpkeepState } from '@holdfast/placement/upkeep';
import { expect, test } from 'vitest';
import { candidate, codeOf, partitionId, peerId } from '../swarm.ts';
import { NOW } from './random-state.ts';

const partition: PartitionState = {
  ...{ id: partitionId(1), k: 2, m: 1, shardBytes: 100, hashes: ['a', 'b', 'c'] },
  holders: [peerId(0), peerId(1), null],
  past: [{ index: 0, peer: peerId(3), until: NOW - 1 }],
};
const state: UpkeepState = {
  partitions: [partition],
  peers: [0, 1, 2, 3].map((n) => candidate(n, { freeBytes: n === 3 ? 950 : 500, capacityBytes: 1000 })),
  candidates: [],
  outages: [],
  settings: defaultSettings(2),
  now: NOW,
};
const base = { partition: partition.id, after: [] };
const copy: Step = {
  ...{
    ...base,
    id: 0,
    index: 0,
    kind: 'copy',
    from: peerId(0),
    to: peerId(3),
    bytes: 100,
    verificationHash: '',
  },
};
const make: Step = {
  ...{ ...base, id: 0, index: 2, kind: 'make', sources: [], helpers: 0, to: peerId(2), bytes: 100 },
  verificationHash: '',
};
const verify = (peer: number, index = 0): Step => ({
  ...base,
  id: 1,
  index,
  kind: 'verify',
  peer: peerId(peer),
  hash: 'a',
});
const release = (peer: number): Step => ({ ...base, id: 2, index: 0, kind: 'release', peer: peerId(peer) });
const writeOff = (peer: number): Step => ({
  ...base,
  id: 2,
  index: 0,
  kind: 'write-off',
  peer: peerId(peer),
});
const after = (...steps: Step[]) => {
  const { partitions, peers } = execute(state, steps);
  const { holders, past } = partitions[0]!;
  return { holders, past, free: peers.map(({ freeBytes }) => freeBytes) };
};
const old = partition.past[0]!;

test('what is sent may be there, and its room is taken', () => {
  expect(after(copy)).toEqual({
    holders: partition.holders,
    past: [old, { index: 0, peer: peerId(3) }],
    free: [500, 500, 500, 850],
  });
  expect(after(make)).toMatchObject({
    past: [old, { index: 2, peer: peerId(2) }],
    free: [500, 500, 400, 950],
  });
});

test('who is verified is the holder, and who was before may have it still', () => {
  expect(after(copy, verify(3))).toEqual({
    holders: [peerId(3), peerId(1), null],
    past: [{ index: 0, peer: peerId(0) }],
    free: [500, 500, 500, 850],
  });
  expect(after(verify(0))).toMatchObject({ holders: partition.holders, past: [old] });
  expect(after(make, verify(2, 2))).toMatchObject({
    holders: [peerId(0), peerId(1), peerId(2)],
    past: [old],
  });
});

test('who is released is a former holder from now on', () => {
  expect(after(copy, verify(3), release(0))).toEqual({
    holders: [peerId(3), peerId(1), null],
    past: [{ index: 0, peer: peerId(0), until: NOW }],
    free: [600, 500, 500, 850],
  });
  expect(after(copy, release(3))).toEqual({
    holders: partition.holders,
    past: [{ index: 0, peer: peerId(3), until: NOW }],
    free: [500, 500, 500, 950],
  });
  expect(after(release(0)).holders).toEqual([null, peerId(1), null]);
  expect(after(release(3)).free[3]).toBe(1000);
});

test('who is written off may have it for ever', () => {
  expect(after(writeOff(0))).toMatchObject({
    holders: [null, peerId(1), null],
    past: [old, { index: 0, peer: peerId(0) }],
    free: [500, 500, 500, 950],
  });
  expect(after(copy, verify(3), writeOff(0))).toMatchObject({
    holders: [peerId(3), peerId(1), null],
    past: [{ index: 0, peer: peerId(0) }],
  });
});

test('nobody has less than no room, and the state given stays as it was', () => {
  const full = { ...state, peers: state.peers.map((peer) => ({ ...peer, freeBytes: 50 })) };
  expect(execute(full, [copy]).peers[3]!.freeBytes).toBe(0);
  const before = structuredClone(state);
  execute(state, [copy, verify(3), release(0)]);
  expect(state).toEqual(before);
  expect(codeOf(() => execute(state, [{ ...copy, partition: partitionId(2) }]))).toBe('USAGE');
});

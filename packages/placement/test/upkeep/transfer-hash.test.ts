import { createHash } from 'node:crypto';
import { transferHash } from '@holdfast/placement/upkeep';
import { expect, test } from 'vitest';
import { partitionId, peerId } from '../swarm.ts';

const transfer = { partition: partitionId(1), index: 258, from: peerId(1), to: peerId(2), hash: 'äbc' };

test('a transfer’s hash is that of the specification, byte by byte', () => {
  const text = (value: string): string => {
    const bytes = Buffer.from(value, 'utf8').toString('hex');
    return (bytes.length / 2).toString(16).padStart(8, '0') + bytes;
  };
  const hex =
    Buffer.from('holdfast/transfer/v1', 'latin1').toString('hex') +
    '00' +
    '00000000000040008000000000000001' +
    '00000102' +
    text(peerId(1)) +
    text(peerId(2)) +
    '00000004c3a46263';
  const expected = createHash('sha256').update(Buffer.from(hex, 'hex')).digest('hex');
  expect(transferHash(transfer)).toBe(expected);
  expect(expected).toBe('acb88d7bdb0b03e85ca96d03455a7aa0c0203681f7875883a54aed3b16cb1134');
});

test('every part of it counts, and none runs into the next', () => {
  const others = [
    { partition: partitionId(2) },
    { index: 257 },
    { from: peerId(3) },
    { from: null },
    { to: peerId(3) },
    { hash: 'äbd' },
    { from: peerId(2), to: peerId(1) },
    { to: `${peerId(2)}x` as typeof transfer.to, hash: 'bc' },
  ];
  const hashes = [transfer, ...others.map((facts) => ({ ...transfer, ...facts }))].map(transferHash);
  expect(new Set(hashes).size).toBe(hashes.length);
});

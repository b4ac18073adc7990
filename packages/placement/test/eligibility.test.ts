import type { PeerRecord, PeerStatus } from '@holdfast/contracts';
import { candidatesFrom } from '@holdfast/placement';
import { expect, test } from 'vitest';
import { peerId } from './swarm.ts';

const record = (n: number, state: PeerRecord['state'] = 'active'): PeerRecord => ({
  id: peerId(n),
  name: `p${n}`,
  operator: `o${n}`,
  region: 'eu/de/x',
  host: 'localhost',
  port: 1,
  state,
});
const status = (n: number, facts: Partial<PeerStatus> = {}): PeerStatus => ({
  id: peerId(n),
  version: '1',
  capacityBytes: 1000,
  usedBytes: 200,
  ownerQuotaBytes: 5000,
  ownerUsedBytes: 0,
  ownerShards: 0,
  startedAt: 0,
  ...facts,
});

test('members in good standing are candidates with the tighter of disk and quota; others have a reason', () => {
  const statuses = [
    status(1),
    status(2, { ownerQuotaBytes: 300, ownerUsedBytes: 100 }),
    status(3, { usedBytes: Number.NaN }),
    status(4),
    status(6, { id: peerId(9) }),
    status(7, { usedBytes: 2000 }),
  ];
  const answers = new Map([1, 2, 3, 4, 6, 7].map((n, i) => [peerId(n), statuses[i]!]));
  const records = [1, 2, 3, 4, 5, 6, 7].map((n) => record(n, n === 4 ? 'left' : 'active'));
  const { candidates, rejected } = candidatesFrom(records, answers);
  expect(candidates).toEqual([
    { id: peerId(1), operator: 'o1', region: 'eu/de/x', freeBytes: 800, capacityBytes: 1000 },
    { id: peerId(2), operator: 'o2', region: 'eu/de/x', freeBytes: 200, capacityBytes: 300 },
    { id: peerId(7), operator: 'o7', region: 'eu/de/x', freeBytes: 0, capacityBytes: 1000 },
  ]);
  expect(rejected).toEqual([
    { peer: peerId(3), reason: 'reports usedBytes NaN' },
    { peer: peerId(4), reason: 'has left the swarm' },
    { peer: peerId(5), reason: 'did not answer with a valid certificate' },
    { peer: peerId(6), reason: `answers as ${peerId(9)}` },
  ]);
});

test('what was measured comes with the candidate, and a certificate that is no good rules it out', () => {
  const statuses = new Map([1, 2].map((n) => [peerId(n), status(n)]));
  const certificate = { validFrom: 0, validUntil: 1000 };
  const measurements = new Map([
    [
      peerId(1),
      { latencyMs: 20, packetLoss: 0.01, reputation: 0.9, stability: 0.8, uptime: 0.99, certificate },
    ],
    [peerId(2), { certificate: { ...certificate, revokedAt: 5 } }],
  ]);
  const { candidates, rejected } = candidatesFrom([record(1), record(2)], statuses, {
    measurements,
    now: 999,
  });
  expect(candidates).toEqual([
    {
      id: peerId(1),
      operator: 'o1',
      region: 'eu/de/x',
      freeBytes: 800,
      capacityBytes: 1000,
      latencyMs: 20,
      packetLoss: 0.01,
      reputation: 0.9,
      stability: 0.8,
      uptime: 0.99,
    },
  ]);
  expect(rejected.map(({ peer }) => peer)).toEqual([peerId(2)]);
  const late = candidatesFrom([record(1)], statuses, { measurements, now: 1000 });
  expect(late.candidates).toEqual([]);
  // Known by its certificate but silent: it may be well, but there is nobody to give a shard to.
  const silent = candidatesFrom([record(1)], new Map(), { measurements, now: 999 });
  expect(silent.rejected).toEqual([{ peer: peerId(1), reason: expect.stringContaining('encryption') }]);
  const encryption = { protocols: ['TLSv1.3'], ciphers: ['TLS_AES_256_GCM_SHA384'] };
  const known = new Map([[peerId(1), { certificate, encryption }]]);
  const dumb = candidatesFrom([record(1)], new Map(), { measurements: known, now: 999 });
  expect(dumb.rejected).toEqual([{ peer: peerId(1), reason: 'did not answer' }]);
});

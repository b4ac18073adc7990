import type { PeerStatus } from '@holdfast/contracts';
import {
  type CheckResult,
  checkEligibility,
  defaultRules,
  ELIGIBILITY_CHECKS,
  type EligibilityCheckName,
  type EligibilityContext,
  type PeerObservation,
  type PlacementRules,
  SOFT_RULES,
} from '@holdfast/placement';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codeOf, peerId, refusalOf } from './swarm.ts';

const MiB = 2 ** 20;
const NOW = Date.UTC(2026, 4, 17, 9, 30);
const rules = defaultRules(4, 2);

const status = (facts: Partial<PeerStatus> = {}): PeerStatus => ({
  id: peerId(1),
  version: '1',
  capacityBytes: 100 * MiB,
  usedBytes: 20 * MiB,
  ownerQuotaBytes: 1000 * MiB,
  ownerUsedBytes: 0,
  ownerShards: 0,
  startedAt: 0,
  ...facts,
});

const good: PeerObservation = {
  record: {
    id: peerId(1),
    name: 'p1',
    operator: 'o1',
    region: 'eu/de/berlin',
    host: 'localhost',
    port: 1,
    state: 'active',
  },
  status: status(),
  certificate: { validFrom: NOW - 1000, validUntil: NOW + 1000 },
  encryption: { protocols: ['TLSv1.2', 'TLSv1.3'], ciphers: ['TLS_AES_256_GCM_SHA384'] },
  latencyMs: 30,
  packetLoss: 0.01,
  reputation: 0.9,
};

const report = (
  facts: Partial<PeerObservation> = {},
  context: Partial<EligibilityContext> = {},
  changed: Partial<PlacementRules> = {},
) => checkEligibility({ ...good, ...facts }, { ...rules, ...changed }, { now: NOW, ...context });

const failed = (...given: Parameters<typeof report>): EligibilityCheckName[] =>
  report(...given).checks.flatMap(({ check, passed }) => (passed ? [] : [check]));

const result = (name: EligibilityCheckName, ...given: Parameters<typeof report>): CheckResult =>
  report(...given).checks.find(({ check }) => check === name)!;

describe('eligibility', () => {
  test('of a good peer: everything passes, in a fixed order, hard and soft told apart', () => {
    const { checks, eligible, preferred, reasons, peer } = report();
    expect([peer, eligible, preferred, reasons]).toEqual([peerId(1), true, true, []]);
    expect(checks.map(({ check }) => check)).toEqual([...ELIGIBILITY_CHECKS]);
    const of = (severity: CheckResult['severity']) =>
      checks.filter((check) => check.severity === severity).map(({ check }) => check);
    expect(of('hard')).toEqual([
      'membership',
      'certificate',
      'encryption',
      'answer',
      'room',
      'reputation-floor',
    ]);
    expect(of('soft')).toEqual(['packet-loss', 'region', 'headroom', 'load', 'reputation']);
    expect(of('information')).toEqual(['latency']);
  });

  test.each<[string, Partial<PeerObservation>, EligibilityCheckName[]]>([
    ['left', { record: { ...good.record, state: 'left' } }, ['membership']],
    [
      'certificate of tomorrow',
      { certificate: { validFrom: NOW + 1, validUntil: NOW + 2 } },
      ['certificate'],
    ],
    ['certificate from now on', { certificate: { validFrom: NOW, validUntil: NOW + 1 } }, []],
    ['certificate until now', { certificate: { validFrom: 0, validUntil: NOW } }, ['certificate']],
    [
      'revoked, if only in future',
      { certificate: { validFrom: 0, validUntil: NOW + 1, revokedAt: NOW + 1 } },
      ['certificate'],
    ],
    [
      'a certificate of no time',
      { certificate: { validFrom: Number.NaN, validUntil: Number.NaN } },
      ['certificate'],
    ],
    ['a certificate for ever', { certificate: { validFrom: -1e20, validUntil: 1e20 } }, []],
    [
      'no proof of anything',
      { status: undefined, certificate: undefined, encryption: undefined },
      ['certificate', 'encryption'],
    ],
    ['an answer is proof', { certificate: undefined, encryption: undefined }, []],
    ['old protocol', { encryption: { ...good.encryption!, protocols: ['TLSv1.2'] } }, ['encryption']],
    [
      'weak cipher',
      { encryption: { ...good.encryption!, ciphers: ['TLS_AES_128_GCM_SHA256'] } },
      ['encryption'],
    ],
    ['another’s answer', { status: status({ id: peerId(2) }) }, ['answer']],
    ['a broken answer', { status: status({ ownerQuotaBytes: -1 }) }, ['answer']],
    ['room for one shard', { status: status({ capacityBytes: 21 * MiB }) }, ['headroom', 'load']],
    ['room for less', { status: status({ capacityBytes: 21 * MiB - 1 }) }, ['room', 'headroom', 'load']],
    ['room for two', { status: status({ capacityBytes: 22 * MiB }) }, ['load']],
    ['room for less than two', { status: status({ capacityBytes: 22 * MiB - 1 }) }, ['headroom', 'load']],
    ['70 % used with the shard', { status: status({ usedBytes: 69 * MiB }) }, []],
    ['a byte more', { status: status({ usedBytes: 69 * MiB + 1 }) }, ['load']],
    ['nothing lent', { status: status({ capacityBytes: 0, usedBytes: 0 }) }, ['room', 'headroom', 'load']],
    ['5 % lost', { packetLoss: 0.05 }, ['packet-loss']],
    ['just less lost', { packetLoss: 0.0499999 }, []],
    ['reputation 0.7', { reputation: 0.7 }, ['reputation']],
    ['just more', { reputation: 0.7000001 }, []],
    ['at the floor', { reputation: 0.5 }, ['reputation']],
    ['below the floor', { reputation: 0.4999999 }, ['reputation-floor', 'reputation']],
    ['far away', { latencyMs: 5000 }, []],
    ['nothing measured', { latencyMs: undefined, packetLoss: undefined, reputation: undefined }, []],
  ])('%s', (_, facts, expected) => {
    const found = report(facts);
    expect(failed(facts)).toEqual(expected);
    const hard = found.checks.filter(({ severity, passed }) => severity === 'hard' && !passed);
    expect([found.eligible, found.preferred]).toEqual([hard.length === 0, expected.length === 0]);
    expect(found.reasons.slice(0, hard.length)).toEqual(hard.map(({ message }) => message));
    expect(found.reasons).toHaveLength(expected.length);
  });

  test('counts the partition’s shards in the peer’s region: three may be there', () => {
    const there = (count: number) => ({ shardsByRegion: new Map([['eu/de', count]]) });
    expect([failed({}, there(2)), failed({}, there(3))]).toEqual([[], ['region']]);
    expect(failed({}, { shardsByRegion: new Map([['eu/fr', 9]]) })).toEqual([]);
  });

  test.each<[EligibilityCheckName, Partial<PeerObservation>, string]>([
    ['packet-loss', { packetLoss: 0.072 }, 'lost 7.2 % of packets in the last 24 h; less than 5 % is wanted'],
    ['packet-loss', { packetLoss: 0.05 }, 'lost 5 % of packets in the last 24 h; less than 5 % is wanted'],
    ['packet-loss', { packetLoss: undefined }, 'its packet loss is not measured yet'],
    ['reputation', { reputation: 0.7000001 }, 'its reputation is 0.7000001; more than 0.7 is wanted'],
    ['reputation-floor', { reputation: 0.31234 }, 'its reputation is 0.3123; below 0.5 none is chosen'],
    ['room', { status: status({ usedBytes: 99.5 * MiB }) }, 'has 512 KiB free; a shard takes 1 MiB'],
    [
      'room',
      { status: status({ usedBytes: 99 * MiB + 1 }) },
      'has 1023.9990234375 KiB free; a shard takes 1 MiB',
    ],
    ['room', { status: undefined }, 'its room is not measured yet'],
    ['headroom', {}, "has 80 MiB free; at least 2 shards' room, 2 MiB, is wanted"],
    ['headroom', { status: undefined }, 'its room is not measured yet'],
    [
      'load',
      { status: status({ usedBytes: 80 * MiB }) },
      'with the shard, 81 % of its capacity is used; at most 70 % is wanted',
    ],
    ['load', { status: status({ capacityBytes: 0 }) }, 'lends nothing'],
    ['load', { status: undefined }, 'its load is not measured yet'],
    ['answer', { status: undefined }, 'its status is not known yet'],
    ['region', {}, "0 of the partition's shards are in eu/de already; at most 3 are wanted there"],
    ['latency', {}, 'its round trip takes 30 ms; a placement should average under 100 ms'],
    ['latency', { latencyMs: undefined }, 'its round trip is not measured yet'],
    ['membership', { record: { ...good.record, state: 'left' } }, 'has left the swarm'],
    [
      'certificate',
      { certificate: { validFrom: NOW + 60_000, validUntil: NOW + 120_000 } },
      'its certificate is valid only from 2026-05-17 09:31; it is 2026-05-17 09:30',
    ],
    [
      'certificate',
      { certificate: { validFrom: 0, validUntil: NOW - 60_000 } },
      'its certificate was valid until 2026-05-17 09:29; it is 2026-05-17 09:30',
    ],
    [
      'certificate',
      { certificate: { validFrom: 0, validUntil: NOW, revokedAt: 0 } },
      'its certificate was revoked on 1970-01-01 00:00',
    ],
    [
      'encryption',
      { encryption: { protocols: [], ciphers: ['A', 'B'] } },
      'does not support TLSv1.3 (it offers none) nor TLS_AES_256_GCM_SHA384 (it offers A, B)',
    ],
  ])('says it with the figures: %s', (check, facts, message) => {
    expect(result(check, facts).message).toBe(message);
  });

  test('leaves out what is switched off, but never the floor', () => {
    const bad = { packetLoss: 1, reputation: 0, status: status({ usedBytes: 99.5 * MiB }) };
    const context = { shardsByRegion: new Map([['eu/de', 9]]) };
    expect(failed(bad, context)).toHaveLength(7);
    expect(failed(bad, context, { off: SOFT_RULES })).toEqual(['room', 'reputation-floor']);
    expect(failed(bad, context, { off: ['load'] })).not.toContain('headroom');
    expect(result('load', bad, context, { off: ['load'] })).toEqual({
      check: 'load',
      severity: 'soft',
      passed: true,
      message: 'the rule load is switched off',
    });
    expect(result('latency', {}, {}, { off: ['latency'] }).severity).toBe('information');
  });

  test.each<[string, Partial<PeerObservation>]>([
    ['packetLoss', { packetLoss: Number.NaN }],
    ['packetLoss', { packetLoss: 1.1 }],
    ['reputation', { reputation: -0.1 }],
    ['latencyMs', { latencyMs: Number.POSITIVE_INFINITY }],
    ['latencyMs', { latencyMs: -1 }],
  ])('refuses a measurement that is none: %s', (field, facts) => {
    const { code, details } = refusalOf(() => report(facts));
    expect([code, details.field, details.peer]).toEqual(['USAGE', field, peerId(1)]);
  });

  test('refuses contradictory rules, and no time', () => {
    expect(codeOf(() => report({}, {}, { reputationFloor: 0.9 }))).toBe('USAGE');
    expect(codeOf(() => report({}, { now: Number.NaN }))).toBe('USAGE');
  });

  test('agrees with the inequalities of the document, whatever the figures', () => {
    const share = fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 0.05, 0.5, 0.7, 1));
    const amount = fc.oneof(
      fc.nat({ max: 8 * MiB }),
      fc.nat({ max: 8 }).map((n) => n * MiB),
    );
    const one = fc.record({
      packetLoss: share,
      reputation: share,
      capacity: amount,
      used: amount,
      quota: amount,
      owned: amount,
      inRegion: fc.nat({ max: 5 }),
    });
    fc.assert(
      fc.property(one, ({ packetLoss, reputation, capacity, used, quota, owned, inRegion }) => {
        const answer = status({
          capacityBytes: capacity,
          usedBytes: used,
          ownerQuotaBytes: quota,
          ownerUsedBytes: owned,
        });
        const disk = Math.max(0, capacity - used);
        const own = Math.max(0, quota - owned);
        const free = Math.min(disk, own);
        const whole = disk <= own ? capacity : quota;
        const expected = [
          free >= MiB || 'room',
          reputation >= 0.5 || 'reputation-floor',
          packetLoss < 0.05 || 'packet-loss',
          inRegion + 1 <= 3 || 'region',
          free >= 2 * MiB || 'headroom',
          whole - free + MiB <= 0.7 * whole || 'load',
          reputation > 0.7 || 'reputation',
        ].filter((found) => found !== true);
        const context = { shardsByRegion: new Map([['eu/de', inRegion]]) };
        expect(failed({ packetLoss, reputation, status: answer }, context)).toEqual(expected);
      }),
      { numRuns: 1000, seed: 5 },
    );
  });
});

import type { SnapshotRecord } from '@holdfast/contracts';
import { expect, it } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import { overdueSources } from '../../src/vault/overdue-sources.ts';

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 10, 23, 10, 31);

const { config } = parseConfig(
  `version: 1
sources:
  app: {kind: sqlite, path: /a, schedule: {every: 1h}}
  home: {kind: tree, path: /h, schedule: {cron: "0 3 * * 1-5", timezone: UTC}}
  byHand: {kind: tree, path: /b}
  dump: {kind: stdin}
`,
  'holdfast.yaml',
);

const made = (source: string, hoursAgo: number, complete = true): SnapshotRecord =>
  ({ source, complete, startedAt: NOW - hoursAgo * HOUR }) as SnapshotRecord;

const warned = (...snapshots: SnapshotRecord[]): string[] => overdueSources(config, snapshots, NOW);

it('a source is overdue when its newest complete snapshot is older than two intervals', () => {
  expect(warned(made('app', 1.9))).toEqual([]);
  expect(warned(made('app', 5), made('app', 1.9), made('app', 4))).toEqual([]);
  expect(warned(made('app', 2.1))).toEqual([expect.stringContaining('"app" is overdue')]);
});

it('an incomplete snapshot is none', () => {
  expect(warned(made('app', 2.1), made('app', 0.5, false))).toEqual([
    expect.stringContaining('"app" is overdue'),
  ]);
  expect(warned(made('app', 0.5, false))).toEqual([expect.stringContaining('no complete snapshot')]);
});

it('a pattern allows for its own gaps', () => {
  // It is Monday; the newest is Friday's or Thursday's.
  expect(warned(made('home', 3 * 24 + 7))).toEqual([]);
  expect(warned(made('home', 4 * 24 + 7))).toEqual([expect.stringContaining('"home" is overdue')]);
});

it('what has no schedule, or was never backed up, is not spoken of here', () => {
  expect(warned(made('byHand', 1e4), made('dump', 1e4), made('no longer configured', 1e4))).toEqual([]);
});

import { lstat, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { displayPath, pathFromText } from '@holdfast/contracts';
import { copySnapshot } from '@holdfast/testing/copy-snapshot';
import { type MemorySourceObject, memorySource } from '@holdfast/testing/memory-source';
import { describeSinkContract } from '@holdfast/testing/sink-contract';
import { describeSourceContract } from '@holdfast/testing/source-contract';
import { describe, expect, test } from 'vitest';
import { PhysicalRestore, physicalSink } from '../../src/postgres/wal/restore/physical-restore.ts';
import { walInfo } from '../../src/postgres/wal/wal-info.ts';
import type { WalPiece } from '../../src/postgres/wal/wal-piece.ts';
import { walSource } from '../../src/postgres/wal/wal-source.ts';

const SEGMENT = 16 * 2 ** 20;
const coded = (code: string): unknown => expect.objectContaining({ code });

const piece = (start: number, length: number, more: Partial<WalPiece> = {}): WalPiece => ({
  systemId: 7n,
  timeline: 2,
  segmentBytes: SEGMENT,
  startLsn: BigInt(start),
  endLsn: BigInt(start + length),
  bytes: [0.25, 0.75].map((share) => Buffer.alloc(length * share, start % 251)),
  facts: {
    firstTime: 5n,
    lastTime: 9n,
    restorePoints: [{ name: 'a\nb "c"', lsn: 3n }],
    lastRecord: BigInt(start),
    records: 1,
  },
  coveredUntil: 10n,
  coveredAt: 1,
  receivedAt: 1,
  state: Uint8Array.of(1, 2, 3),
  history: Buffer.from('1\t0/1000000\tfor a test\n'),
  chainStart: 0n,
  afterGap: false,
  ...more,
});

const pieces = [
  piece(3 * SEGMENT + 4096, 40_000),
  piece(3 * SEGMENT + 44_096, SEGMENT - 44_096),
  piece(4 * SEGMENT, 8192),
];

describeSourceContract('postgres-wal', async () => ({
  source: walSource(pieces),
  expected: new Map<string, Uint8Array | null>([
    ['info', null],
    ['wal/00000002/00000002.history', pieces[0]!.history],
    ['wal/00000002/000000020000000000000003/00001000', Buffer.concat(pieces[0]!.bytes)],
    ['wal/00000002/000000020000000000000003/0000AC40', Buffer.concat(pieces[1]!.bytes)],
    ['wal/00000002/000000020000000000000004/00000000', Buffer.concat(pieces[2]!.bytes)],
  ]),
  cleanUp: async () => {},
}));

const SAMPLE: MemorySourceObject[] = [
  { path: 'data', kind: 'directory', content: null },
  { path: 'data/PG_VERSION', kind: 'datafile', content: Buffer.from('15\n') },
  { path: 'data/base', kind: 'directory', content: null },
  { path: 'data/base/1', kind: 'directory', content: null },
  { path: 'data/base/1/1259', kind: 'datafile', content: Buffer.alloc(8192 * 3, 7) },
  { path: 'data/global', kind: 'directory', content: null },
  { path: 'data/global/pg_control', kind: 'datafile', content: Buffer.alloc(8192, 2) },
  { path: 'data/pg_wal', kind: 'directory', content: null },
  { path: 'label', kind: 'label', content: Buffer.alloc(5000, 'START WAL LOCATION') },
];

async function tree(root: string): Promise<Map<string, Uint8Array | null> | null> {
  if (!(await lstat(root).catch(() => null))) return null;
  const found = new Map<string, Uint8Array | null>();
  const walk = async (path: string): Promise<void> => {
    for (const name of (await readdir(join(root, path))).sort()) {
      const full = join(path, name);
      const isDirectory = (await lstat(join(root, full))).isDirectory();
      const shown = full === 'backup_label' ? 'label' : join('data', full);
      found.set(shown, isDirectory ? null : await readFile(join(root, full)));
      if (isDirectory) await walk(full);
    }
  };
  await walk('');
  if ([...found.keys()].some((path) => path !== 'label')) found.set('data', null);
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

describeSinkContract(
  'postgres-base',
  async () => {
    const parent = await mkdtemp(join(tmpdir(), 'holdfast-base-sink-'));
    const path = join(parent, 'data');
    return {
      sink: ({ overwrite }) => physicalSink({ path, overwrite }),
      readBack: () => tree(path),
      cleanUp: () => rm(parent, { recursive: true, force: true }),
    };
  },
  { sample: SAMPLE },
);

describe('restoring WAL', () => {
  const settings = { target: { kind: 'end' }, timeline: 2 } as const;
  const begun = async (parent: string, sample = SAMPLE): Promise<PhysicalRestore> => {
    const restore = new PhysicalRestore({ path: join(parent, 'data'), overwrite: false, recovery: settings });
    await copySnapshot(await memorySource(sample).open(), restore.baseSink());
    return restore;
  };
  const inDirectory = async (action: (parent: string) => Promise<void>): Promise<void> => {
    const parent = await mkdtemp(join(tmpdir(), 'holdfast-wal-sink-'));
    try {
      await action(parent);
    } finally {
      await rm(parent, { recursive: true, force: true });
    }
  };

  test('puts pieces together to segments of full size, across snapshots', () =>
    inDirectory(async (parent) => {
      const restore = await begun(parent);
      for (const one of [pieces.slice(0, 1), pieces.slice(1)])
        await copySnapshot(await walSource(one).open(), restore.walSink());
      expect(await readdir(parent)).toEqual(['data.holdfast-partial']);
      await restore.finish();
      const wal = join(parent, 'data', 'pg_wal');
      expect((await readdir(wal)).sort()).toEqual([
        '00000002.history',
        '000000020000000000000003',
        '000000020000000000000004',
      ]);
      const [third, fourth] = await Promise.all(
        ['3', '4'].map((n) => readFile(join(wal, `00000002000000000000000${n}`))),
      );
      const expected = Buffer.concat([
        Buffer.alloc(4096),
        ...pieces.slice(0, 2).flatMap(({ bytes }) => bytes),
      ]);
      expect(third!.equals(expected)).toBe(true);
      expect(fourth!.equals(Buffer.concat([...pieces[2]!.bytes, Buffer.alloc(SEGMENT - 8192)]))).toBe(true);
      const automatic = await readFile(join(parent, 'data', 'postgresql.auto.conf'), 'utf8');
      expect(automatic).toContain("recovery_target_timeline = '2'");
      expect((await lstat(join(parent, 'data'))).mode & 0o777).toBe(0o700);
      expect(await readdir(join(parent, 'data'))).toEqual(
        expect.arrayContaining(['recovery.signal', 'pg_hba.conf', 'postgresql.conf']),
      );
    }));

  test.each([
    ['wal/00000002/000000020000000000000003/01000000', 'wal'],
    ['wal/00000002/000000020000000000000003/00FFFFFF', 'wal'],
    ['wal/00000001/000000010000000000000003/00000000', 'wal'],
    ['wal/00000002/00000002000000000000ffff/00000000', 'wal'],
    ['wal/00000002/000000020000000000000100/00000000', 'wal'],
    ['wal/00000002/../../../evil', 'wal'],
    ['wal/00000002/00000003.history', 'history'],
    ['base/1', 'datafile'],
  ])('refuses %s', (path, kind) =>
    inDirectory(async (parent) => {
      const restore = await begun(parent);
      const snapshot = await walSource(pieces).open();
      const sink = restore.walSink();
      await sink.begin({ attributes: snapshot.attributes });
      const write = async (): Promise<void> => {
        const writer = await sink.create({ path: pathFromText(path), kind, attributes: {}, size: 2 });
        await writer!.write(0, Buffer.from('ab'));
      };
      await expect(write()).rejects.toThrow(coded('FORMAT_INVALID'));
      await sink.abort();
      expect(await readdir(parent)).toEqual([]);
    }),
  );

  test('is refused without what makes a cluster, and nothing is left', () =>
    inDirectory(async (parent) => {
      const restore = await begun(
        parent,
        SAMPLE.filter(({ path }) => path !== 'data/global/pg_control'),
      );
      await expect(restore.finish()).rejects.toThrow(coded('FORMAT_INVALID'));
      await restore.abort();
      expect(await readdir(parent)).toEqual([]);
    }));

  test('hostile tablespaces and settings get nowhere', () =>
    inDirectory(async (parent) => {
      await mkdir(join(parent, 'elsewhere'));
      const sink = physicalSink({ path: join(parent, 'data'), overwrite: false });
      await sink.begin({
        attributes: { settings: JSON.stringify({ max_connections: "1\narchive_command='evil'" }) },
      });
      await sink.create({
        path: pathFromText('data/pg_tblspc'),
        kind: 'directory',
        attributes: {},
        size: null,
      });
      for (const [path, location] of [
        ['data/pg_tblspc/x', '/tmp'],
        ['data/base', '/tmp'],
        ['data/pg_tblspc/1', 7],
      ] as const) {
        const object = { path: pathFromText(path), kind: 'tablespace', attributes: { location }, size: null };
        await expect(sink.create(object), displayPath(object.path)).rejects.toThrow(coded('FORMAT_INVALID'));
      }
      await sink.abort();
    }));
});

describe('attributes of WAL', () => {
  test('come back as they were', async () => {
    const { attributes } = await walSource(pieces).open();
    expect(walInfo(attributes)).toMatchObject({
      systemId: 7n,
      timeline: 2,
      startLsn: pieces[0]!.startLsn,
      endLsn: pieces[2]!.endLsn,
      lastTime: 9n,
      restorePoints: [3, 3, 3].map(() => ({ name: 'a\nb "c"', lsn: 3n })),
    });
  });

  test.each([
    ['systemId', 'x'],
    ['timeline', 0],
    ['segmentBytes', 3_000_000],
    ['startLsn', 'FF/0'],
    ['endLsn', '1'],
    ['lastTime', 'now'],
    ['restorePoints', '[1]'],
    ['state', 'x'],
    ['chainStart', null],
  ])('that make no sense are refused: %s', async (name, value) => {
    const { attributes } = await walSource(pieces).open();
    expect(() => walInfo({ ...attributes, [name]: value })).toThrow(coded('FORMAT_INVALID'));
  });

  test('of a later version are said to be that', async () => {
    const { attributes } = await walSource(pieces).open();
    expect(() => walInfo({ ...attributes, version: 2 })).toThrow(coded('FORMAT_VERSION'));
  });

  test('cannot hide a gap or a change of timeline', () => {
    expect(() => walSource([])).toThrow(coded('USAGE'));
    expect(() => walSource([pieces[0]!, pieces[2]!])).toThrow(coded('USAGE'));
    expect(() => walSource([pieces[0]!, { ...pieces[1]!, timeline: 3 }])).toThrow(coded('USAGE'));
  });
});

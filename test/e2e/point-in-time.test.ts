import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PostgresServer } from '@holdfast/testing/servers/postgres-server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import { Lab } from './support/lab.ts';
import { RestoredClusters } from './support/restored-cluster.ts';
import { RunningAgent } from './support/running-agent.ts';
import { until } from './support/until.ts';

const missing = await PostgresServer.missing();

interface MomentOutput {
  readonly base: string;
  readonly wals: readonly string[];
  readonly recoverySeconds: number | null;
}

interface ProtectionOutput {
  readonly source: string;
  readonly running: boolean;
  readonly lastBaseAt: string;
  readonly storedUntil: string;
}

/** Commits rows one after the other, and knows which were acknowledged. */
class Writer {
  readonly #server: PostgresServer;
  #stopped = false;
  #writing: Promise<void> = Promise.resolve();
  acknowledged: number[] = [];

  constructor(server: PostgresServer) {
    this.#server = server;
  }

  go(): void {
    this.#stopped = false;
    this.#writing = this.#write();
  }

  async pause(): Promise<readonly number[]> {
    this.#stopped = true;
    await this.#writing;
    return [...this.acknowledged];
  }

  async #write(): Promise<void> {
    const client = await this.#server.connect('chat');
    while (!this.#stopped) {
      const { rows } = await client.query('insert into journal default values returning id');
      this.acknowledged.push(rows[0].id);
      await sleep(5);
    }
    await client.end();
  }
}

describe.skipIf(missing)(`continuous protection${missing ? ` (${missing})` : ''}`, () => {
  let lab: Lab;
  let server: PostgresServer;
  let writer: Writer;
  const clusters = new RestoredClusters();
  const processes: RunningAgent[] = [];
  /** What was committed by then. */
  let moment: { at: string; ids: number[] };
  let atPoint: readonly number[];
  let latest: MomentOutput;

  beforeAll(async () => {
    [lab, server] = await Promise.all([
      Lab.up({ peers: 5, k: 3, m: 2, operators: 5 }),
      PostgresServer.start({ settings: { wal_level: 'replica', track_commit_timestamp: 'on' } }),
    ]);
    const password = lab.path('password');
    await writeFile(password, `${server.password}\n`, { mode: 0o600 });
    await server.createDatabase('chat');
    await server.query(
      'create table journal (id serial primary key, at timestamptz default clock_timestamp())',
      'chat',
    );
    const address = `postgres://${server.user}@${server.host}:${server.port}/chat`;
    await lab.must(['source', 'add', 'chat', 'postgres', address, '--password-file', password]);
    await configure({ maxLag: '1s', checkpoint: 'fast' });
    writer = new Writer(server);
  });
  afterAll(async () => {
    for (const process of processes) await process.end('SIGKILL');
    await writer?.pause().catch(() => {});
    await clusters[Symbol.asyncDispose]();
    await lab?.down();
    await server?.[Symbol.asyncDispose]();
  });

  async function configure(protect: object, name = 'chat'): Promise<void> {
    const path = join(lab.vault, 'holdfast.yaml');
    const document = parseDocument(await readFile(path, 'utf8'));
    document.setIn(['sources', name, 'protect'], document.createNode(protect));
    await writeFile(path, document.toString());
  }
  function protect(): RunningAgent {
    const process = new RunningAgent(lab, {}, ['protect', 'chat']);
    processes.push(process);
    return process;
  }
  const status = async (): Promise<ProtectionOutput> => {
    const { json } = await lab.must(['status']);
    const { protected: all } = json as unknown as { protected: ProtectionOutput[] };
    return all.find(({ source }) => source === 'chat')!;
  };
  const factsPath = () => join(lab.vault, 'protect', 'chat.jsonl');
  const idsOf = (rows: { id: number }[]): number[] => rows.map(({ id }) => id);
  const committed = async (): Promise<number[]> =>
    idsOf(await server.query('select id from journal order by id', 'chat'));
  const restore = async (at: string, name: string, ...more: string[]): Promise<MomentOutput> =>
    (await lab.must(['restore', 'chat', '--at', at, '--to', clusters.path(name), ...more])).json as never;
  const restoredIds = async (name: string): Promise<number[]> =>
    idsOf(await clusters.query(name, 'select id from journal order by id', 'chat', server));

  it('says what the server lacks, and changes nothing', async () => {
    const ready = await lab.must(['protect', 'chat', '--check']);
    expect(ready.json).toMatchObject({ source: 'chat', needs: expect.any(Array) });
    await server.query(`create role weak login password 'weak'`);
    const weak = lab.path('weak');
    await writeFile(weak, 'weak\n', { mode: 0o600 });
    const address = `postgres://weak@${server.host}:${server.port}/chat`;
    await lab.must(['source', 'add', 'weak', 'postgres', address, '--password-file', weak]);
    await configure({}, 'weak');
    const refused = await lab.run(['protect', 'weak', '--check']);
    expect([refused.code, refused.json.error.code]).toEqual([8, 'SOURCE_UNREADABLE']);
    expect(refused.json.error.details.missing).toEqual(
      expect.arrayContaining(['replication-right', 'functions', 'replication-connection']),
    );
    expect(refused.json.error.hint).toMatch(/ALTER ROLE "weak" REPLICATION.*GRANT EXECUTE ON FUNCTION/s);
    expect((await lab.run(['protect', 'weak'])).json.error.code).toBe('SOURCE_UNREADABLE');
    expect(await server.query('select slot_name from pg_replication_slots')).toEqual([]);
    const nothing = await lab.run(['restore', 'chat', '--at', 'latest', '--to', clusters.path('nothing')]);
    expect(nothing.json.error.code).toBe('NOT_FOUND');
    // What a slot keeps fills the server's disk: whoever gives protection up is told.
    const removed = await lab.must(['source', 'remove', 'weak']);
    expect(removed.stderr).toMatch(/pg_drop_replication_slot\('holdfast_weak_[0-9a-f]{12}'\)/);
  });

  it('goes on behind a kill, a restart of the server and a stop', async () => {
    const first = protect();
    await first.sees({ event: 'base-stored' });
    writer.go();
    await first.sees({ event: 'wal-stored' }, first.events.length);
    const second = await lab.run(['protect', 'chat']);
    expect(second.json.error).toMatchObject({ code: 'BUSY', details: { pid: first.pid } });
    await first.end('SIGKILL');
    await sleep(500);
    const again = protect();
    await again.sees({ event: 'wal-stored' });
    const [{ now }] = await server.query(
      `select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as now`,
    );
    await sleep(200);
    atPoint = await writer.pause();
    const before = await server.query(
      `select id from journal where pg_xact_commit_timestamp(xmin) <= '${now}' order by id`,
      'chat',
    );
    moment = { at: now, ids: idsOf(before) };
    expect(moment.ids.length).toBeGreaterThan(0);
    expect(moment.ids.length).toBeLessThan(atPoint.length);
    await server.query(`select pg_create_restore_point('before the mistake')`);
    await server.query(`insert into journal select from generate_series(1, 100)`, 'chat');
    const from = again.events.length;
    await server.stop();
    await again.sees({ event: 'disconnected' }, from);
    await server.resume();
    writer.go();
    await again.sees({ event: 'connected' }, from);
    await again.sees({ event: 'wal-stored' }, again.events.length);
    // Others get their turn, and it waits for them.
    await until(async () => (await lab.run(['backup', 'chat'])).code === 0);
    await again.sees({ event: 'wal-stored' }, again.events.length);
    expect(await status()).toMatchObject({ running: true, pid: again.pid });
    await writer.pause();
    const ended = await again.end('SIGTERM');
    expect(ended.code).toBe(0);
    expect(again.all({ event: 'base-started' })).toEqual([]);
    expect(again.all({ event: 'gap' })).toEqual([]);
    const lags = processes
      .flatMap((process) => process.all({ event: 'wal-stored' }))
      .map(({ lagSeconds }) => lagSeconds!);
    console.log(
      `data-loss window, commit to stored: at most ${Math.max(...lags).toFixed(2)} s in ${lags.length} snapshots`,
    );
    expect(Math.max(...lags)).toBeLessThan(60);
  });

  it('restores to a time, a restore point and the latest commit', async () => {
    await restore(moment.at, 'moment');
    expect(await restoredIds('moment')).toEqual(moment.ids);
    const point = await restore('before the mistake', 'point', '--start');
    expect(point.recoverySeconds).toBeGreaterThan(0);
    expect(await restoredIds('point')).toEqual(atPoint);
    // All that was committed before the stop, though it was not due to be stored yet.
    latest = await restore('latest', 'latest');
    expect(await restoredIds('latest')).toEqual(await committed());
  });

  it('names what can be reached where a moment cannot', async () => {
    const early = await lab.run([
      'restore',
      'chat',
      '--at',
      '2001-01-01T00:00:00Z',
      '--to',
      clusters.path('early'),
    ]);
    expect(early.json.error).toMatchObject({
      code: 'NOT_FOUND',
      details: { reachable: [{ from: {}, to: {} }] },
    });
    expect(early.json.error.message).toMatch(/Reachable: 20\d\d-/);
    const noPoint = await lab.run([
      'restore',
      'chat',
      '--at',
      'no such point',
      '--to',
      clusters.path('early'),
    ]);
    expect(noPoint.json.error.hint).toContain('before the mistake');
    for (const wrong of [['--table', 'journal'], ['--format', 'csv'], ['--no-owner'], ['--source', 'chat']]) {
      const refused = await lab.run([
        'restore',
        'chat',
        '--at',
        'latest',
        '--to',
        clusters.path('early'),
        ...wrong,
      ]);
      expect(refused.json.error, wrong.join(' ')).toMatchObject({ code: 'USAGE' });
    }
  });

  it('needs no file of its own to know what is stored', async () => {
    const plan = { base: latest.base, wals: latest.wals };
    const lines = (await readFile(factsPath(), 'utf8')).trimEnd().split('\n');
    await rm(factsPath());
    expect(await restore('latest', 'without-file')).toMatchObject(plan);
    const again = (await readFile(factsPath(), 'utf8')).trimEnd().split('\n');
    const byId = (text: readonly string[]) =>
      text.map((line) => JSON.parse(line)).sort((a, b) => (a.id < b.id ? -1 : 1));
    expect(byId(again)).toEqual(byId(lines));
    // Half a line, a lie about another snapshot, and nonsense change nothing.
    const [one, ...rest] = again;
    await writeFile(
      factsPath(),
      `${rest.join('\n')}\nnonsense\n{"id":"x","kind":"postgres-wal","attributes":{}}\n${one!.slice(0, 40)}`,
    );
    expect(await restore('latest', 'damaged-file')).toMatchObject(plan);
  });

  it('is one line among snapshots, and a line in the status', async () => {
    const all = (await lab.must(['snapshots'])).json as unknown as { source: string }[];
    expect(all.filter(({ source }) => source === 'chat.wal').length).toBeGreaterThan(2);
    const text = (await lab.text(['snapshots'])).stdout.toString();
    expect(text.match(/chat\.wal/g)).toHaveLength(1);
    expect(
      (await lab.text(['snapshots', '--all'])).stdout.toString().match(/chat\.wal/g)!.length,
    ).toBeGreaterThan(2);
    const { running, lastBaseAt, storedUntil } = await status();
    expect(running).toBe(false);
    expect(Date.parse(storedUntil)).toBeGreaterThan(Date.parse(lastBaseAt));
    expect((await lab.text(['status'])).stdout.toString()).toMatch(
      /Continuous protection\n {2}chat {2}not running/,
    );
  });

  it('is done by the agent beside its schedules, with one opened vault', async () => {
    const path = join(lab.vault, 'holdfast.yaml');
    const document = parseDocument(await readFile(path, 'utf8'));
    document.setIn(['sources', 'chat', 'schedule'], document.createNode({ every: '2s', jitter: '0s' }));
    await writeFile(path, document.toString());
    const agent = new RunningAgent(lab);
    processes.push(agent);
    writer.go();
    const [backup, protection] = ['backup:chat', 'protect:chat'];
    await agent.sees({ event: 'run-succeeded', task: backup });
    await agent.sees({ event: 'wal-stored', task: protection }, agent.events.length);
    await agent.sees({ event: 'run-succeeded', task: backup }, agent.events.length);
    expect((await lab.run(['protect', 'chat'])).json.error.code).toBe('BUSY');
    const shown = (await lab.must(['agent', 'status'])).json as unknown as { protected: ProtectionOutput[] };
    expect(shown.protected).toMatchObject([{ source: 'chat', running: true, pid: agent.pid }]);
    // Another configuration begins anew; one without protection ends it.
    const before = agent.events.length;
    await configure({ maxLag: '2s', checkpoint: 'fast' });
    agent.kill('SIGHUP');
    await agent.sees({ event: 'protect-stopped', task: protection }, before);
    await agent.sees({ event: 'protect-started', task: protection }, before);
    await agent.sees({ event: 'wal-stored', task: protection }, agent.events.length);
    await writer.pause();
    expect((await agent.end()).code).toBe(0);
    expect(agent.all({ event: 'protect-stopped', task: protection })).toHaveLength(2);
    for (const event of ['run-failed', 'protect-failed', 'store-failed', 'gap', 'base-started'])
      expect(agent.all({ event }), event).toEqual([]);
    await restore('latest', 'by-agent');
    expect(await restoredIds('by-agent')).toEqual(await committed());
  });
});

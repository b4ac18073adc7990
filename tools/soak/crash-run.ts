import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Ended, Running } from '../../test/e2e/support/command.ts';
import type { Lab } from '../../test/e2e/support/lab.ts';
import { countShards } from '../../test/e2e/support/peer-disks.ts';
import { checkDisks, checkSnapshots, type Expected, leftovers, listedSnapshots } from './checks.ts';
import type { SoakOptions } from './options.ts';
import { editRandom, type Kill, type Round, roundOf, type SourceName } from './schedule.ts';
import type { SoakSource } from './soak-source.ts';

export interface SoakTotals {
  rounds: number;
  kills: number;
  ownerKills: number;
  peerKills: number;
  backups: number;
  backupsKilled: number;
  restores: number;
  restoresKilled: number;
  shardsSent: number;
  shardsResumed: number;
  snapshots: number;
  acknowledged: number;
  snapshotChecks: number;
  shardsOnDisk: number;
}

/** Milliseconds that a run takes undisturbed, to begin with; measured ones take their place. */
const FIRST_GUESS = 2_500;
/** Share of the newest measurement. */
const NEWEST = 0.3;
/** A peer may still be busy with what a killed owner sent. */
const SETTLE = 400;

/** The rounds of a soak: edit, run, kill, look at what is left, go on. */
export class CrashRun {
  readonly violations: string[] = [];
  readonly totals: SoakTotals = {
    rounds: 0,
    kills: 0,
    ownerKills: 0,
    peerKills: 0,
    backups: 0,
    backupsKilled: 0,
    restores: 0,
    restoresKilled: 0,
    shardsSent: 0,
    shardsResumed: 0,
    snapshots: 0,
    acknowledged: 0,
    snapshotChecks: 0,
    shardsOnDisk: 0,
  };
  readonly #lab: Lab;
  readonly #options: SoakOptions;
  readonly #sources: ReadonlyMap<SourceName, SoakSource>;
  readonly #tell: (line: string) => void;
  readonly #expected: Expected[] = [];
  readonly #durations = { backup: FIRST_GUESS, restore: FIRST_GUESS };
  readonly #wholeFiles = new Set<string>();
  #nextCheck: number;

  constructor(lab: Lab, sources: readonly SoakSource[], options: SoakOptions, tell: (line: string) => void) {
    this.#lab = lab;
    this.#options = options;
    this.#sources = new Map(sources.map((source) => [source.name, source]));
    this.#tell = tell;
    this.#nextCheck = options.checkEvery;
  }

  async execute(): Promise<void> {
    while (this.totals.kills < this.#options.kills) {
      await this.#round(roundOf(this.#options.seed, ++this.totals.rounds));
      const over = this.totals.kills >= this.#options.kills;
      if (this.totals.kills < this.#nextCheck && !over) continue;
      this.#nextCheck += this.#options.checkEvery;
      await this.#check();
    }
  }

  /** With every peer up: all snapshots restore identical, and the disks keep the rules. */
  async #check(): Promise<void> {
    await this.#lab.startPeers(...this.#down());
    await sleep(SETTLE);
    const before = this.violations.length;
    const disks = await checkDisks(this.#lab, this.#wholeFiles);
    this.totals.shardsOnDisk = disks.shards;
    this.violations.push(...disks.violations, ...(await leftovers(this.#lab)));
    this.violations.push(...(await checkSnapshots(this.#lab, this.#expected)));
    this.totals.snapshotChecks += this.#expected.length;
    const found = this.violations.slice(before);
    this.#tell(
      `check      ${this.#expected.length} snapshots restored, ${disks.shards} shards looked at: ${found.length === 0 ? 'all well' : found.join(' ')}`,
    );
  }

  async #round(round: Round): Promise<void> {
    await this.#prepareSwarm(round);
    const restorable = this.#expected[Math.floor(round.pick * this.#expected.length)];
    if (round.action === 'restore' && restorable) await this.#restore(round, restorable);
    else await this.#backUp(round);
  }

  /** Never more peers down than the code tolerates, those about to be killed included: everything must still work. */
  async #prepareSwarm(round: Round): Promise<void> {
    const down = this.#down();
    const doomed = round.kills.filter(({ victim }) => victim === 'peer').length;
    const mayStay = round.revive ? 0 : Math.max(0, this.#lab.plan.m - doomed);
    await this.#lab.startPeers(...down.slice(mayStay));
  }

  async #backUp(round: Round): Promise<void> {
    const source = this.#sources.get(round.source)!;
    if (round.edit) await source.edit(editRandom(this.#options.seed, round.number));
    const digest = await source.digest(source.path);
    const { ended, killed, milliseconds } = await this.#run(round, ['backup', source.name]);
    const report = ended.json.backups?.[0];
    const acknowledged = report?.ok === true;
    if (acknowledged) {
      this.totals.backups++;
      this.totals.shardsSent += report.shardsSent;
      this.totals.shardsResumed += report.shardsResumed;
      this.totals.acknowledged++;
    } else if (killed) this.totals.backupsKilled++;
    else this.violations.push(`Round ${round.number}: ${describe(ended)}`);
    if (round.kills.length === 0 && acknowledged) this.#learn('backup', milliseconds);
    this.#adopt(source, digest, acknowledged ? report.snapshot.id : null, round);
    this.#line(
      round,
      acknowledged ? `sent ${report.shardsSent}, resumed ${report.shardsResumed}` : outcome(ended, killed),
    );
  }

  /** Whatever the catalog lists now must be restorable, whether its run lived to tell or not. */
  #adopt(source: SoakSource, digest: string, acknowledged: string | null, round: Round): void {
    const listed = listedSnapshots(this.#lab);
    const known = new Set(this.#expected.map(({ id }) => id));
    for (const { id } of listed) {
      if (!known.has(id)) this.#expected.push({ id, source, digest, acknowledged: id === acknowledged });
    }
    const ids = new Set(listed.map(({ id }) => id));
    for (const { id } of this.#expected) {
      if (!ids.has(id)) this.violations.push(`Round ${round.number}: snapshot ${id} is no longer listed.`);
    }
    if (acknowledged !== null && !ids.has(acknowledged))
      this.violations.push(`Round ${round.number}: acknowledged snapshot ${acknowledged} is not listed.`);
    this.totals.snapshots = this.#expected.length;
  }

  async #restore(round: Round, { id, source, digest }: Expected): Promise<void> {
    const directory = this.#lab.path('restored');
    await mkdir(directory);
    const target = join(directory, 'copy');
    const { ended, killed, milliseconds } = await this.#run(round, ['restore', id, '--to', target]);
    if (ended.code === 0) this.totals.restores++;
    else if (killed) this.totals.restoresKilled++;
    else this.violations.push(`Round ${round.number}: ${describe(ended)}`);
    // A kill may come after the target got its name: then all of it must be there.
    if (existsSync(target)) await this.#compare(round, target, source, digest);
    else if (ended.code === 0) this.violations.push(`Round ${round.number}: a restore made nothing.`);
    if (round.kills.length === 0 && ended.code === 0) this.#learn('restore', milliseconds);
    await rm(directory, { recursive: true, force: true });
    this.#line(round, ended.code === 0 ? 'identical' : outcome(ended, killed));
  }

  async #compare(round: Round, target: string, source: SoakSource, digest: string): Promise<void> {
    const found = await source.digest(target).catch(String);
    if (found !== digest) this.violations.push(`Round ${round.number}: ${target} is not what was backed up.`);
  }

  async #run(round: Round, args: string[]): Promise<{ ended: Ended; killed: boolean; milliseconds: number }> {
    const started = performance.now();
    const running = this.#lab.start(args);
    const over = new AbortController();
    const kills = round.kills.map((kill) => this.#strike(kill, running, round.action, over.signal));
    const ended = await running.ended;
    over.abort();
    const milliseconds = performance.now() - started;
    await Promise.all(kills);
    return { ended, killed: ended.signal === 'SIGKILL', milliseconds };
  }

  async #strike(kill: Kill, { child }: Running, action: Round['action'], over: AbortSignal): Promise<void> {
    if (action === 'backup' && kill.shards !== null) await this.#moreShards(kill.shards, over);
    else await sleep(kill.at * this.#durations[action], undefined, { signal: over }).catch(() => {});
    if (over.aborted || child.exitCode !== null || child.signalCode !== null) return;
    if (kill.victim === 'owner') {
      if (!child.kill('SIGKILL')) return;
      this.totals.ownerKills++;
    } else {
      const up = this.#lab.peers().filter(({ number }) => this.#lab.runs(number));
      if (!this.#lab.strike(up[Math.floor(kill.pick * up.length)]!.number)) return;
      this.totals.peerKills++;
    }
    this.totals.kills++;
  }

  async #moreShards(wanted: number, over: AbortSignal): Promise<void> {
    const before = await countShards(this.#lab.peers());
    while (!over.aborted && (await countShards(this.#lab.peers())) < before + wanted) await sleep(4);
  }

  #down(): number[] {
    return this.#lab.peers().flatMap(({ number }) => (this.#lab.runs(number) ? [] : [number]));
  }

  #learn(action: 'backup' | 'restore', milliseconds: number): void {
    this.#durations[action] += NEWEST * (milliseconds - this.#durations[action]);
  }

  #line(round: Round, result: string): void {
    const { kills } = this.totals;
    const victims = round.kills
      .map(({ victim, at, shards }) =>
        round.action === 'backup' && shards !== null
          ? `${victim} after ${shards} shards`
          : `${victim} at ${Math.round(at * 100)} %`,
      )
      .join(', ');
    this.#tell(
      `round ${String(round.number).padStart(4)} ${round.action.padEnd(7)} ${round.source.padEnd(8)} ` +
        `${kills}/${this.#options.kills} kills, ${this.totals.acknowledged} acknowledged, ` +
        `${this.violations.length} violations; ${result}${victims ? `; to be killed: ${victims}` : ''}`,
    );
  }
}

const outcome = (ended: Ended, killed: boolean): string => (killed ? 'killed' : describe(ended));

function describe({ code, signal, json, stderr }: Ended): string {
  const { error } = json;
  const why = error ? `${error.code}: ${error.message}` : stderr.trim().slice(-500);
  return `exited with ${code ?? signal} though nobody killed it: ${why}`;
}

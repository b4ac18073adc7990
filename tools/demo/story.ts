import { constants } from 'node:fs';
import { copyFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { formatBytes } from '../../apps/cli/src/units/bytes.ts';
import { makeChatDatabase } from './chat-database.ts';
import { editChatDatabase } from './chat-edits.ts';
import { type Comparison, compareDatabases } from './compare.ts';
import { type DamagePlan, planDamage, rot } from './damage.ts';
import { holdfast } from './holdfast-command.ts';
import { swarmMap } from './map.ts';
import type { Narrator } from './narrate.ts';
import { compressibility } from './noise.ts';
import { grouped, type Outcome, type SnapshotOutcome } from './outcome.ts';
import { SeededRandom } from './random.ts';
import { killPeers, OPERATORS, type Peer, REGIONS, type Swarm, startSwarm } from './swarm.ts';
import { type Observation, type Separation, Witness } from './witness.ts';

const SOURCE = 'chat';
const LEAST_BYTES = 200 * 2 ** 20;
const CHANGED = 0.01;

interface BackupResult {
  readonly seconds: number;
  readonly snapshot: {
    readonly id: string;
    readonly k: number;
    readonly m: number;
    readonly totals: { readonly bytes: number; readonly storedBytes: number; readonly partitions: number };
  };
}

interface RestoreResult {
  readonly seconds: number;
  readonly decoded: number;
  readonly partitions: number;
  readonly faults: readonly { readonly wrongBytes: number }[];
}

/** The main job from end to end, told as it happens. Everything it makes lies below `directory`, for others to remove. */
export class Story {
  readonly #directory: string;
  readonly #seed: number;
  readonly #tell: Narrator;
  readonly #signal: AbortSignal;
  #swarm!: Swarm;
  #witness!: Witness;

  constructor(directory: string, seed: number, tell: Narrator, signal: AbortSignal) {
    this.#directory = directory;
    this.#seed = seed;
    this.#tell = tell;
    this.#signal = signal;
  }

  async run(startedAt: number): Promise<Outcome> {
    this.#swarm = await this.#raise();
    this.#witness = new Witness(this.#swarm);
    const live = this.#path('chat.db');
    await this.#fill(live);
    const first = await this.#backUp(
      'A first backup',
      'Everything is new: all of it is cut, packed, sealed, coded and sent.',
    );
    await this.#witness.observe();
    const before = this.#path('chat-before.db');
    await copyFile(live, before, constants.COPYFILE_FICLONE);
    const { rowsChanged, second } = await this.#changeAndBackUp(live);
    const seen = await this.#witness.observe();
    const [bytesStored, compressible] = [await sizes(seen), await compressibility(seen.shards)];
    const { k, m } = first.snapshot;
    const plan = await this.#damage(seen, m);
    const [one, two] = [await this.#restore(first, before), await this.#restore(second, live)];
    const { unexplained } = await this.#witness.observe();
    const separation = this.#judge();
    return {
      seed: this.#seed,
      k,
      m,
      peers: this.#swarm.peers.length,
      regions: REGIONS.length,
      killed: plan.dying.map((peer) => peer.name),
      shardsCorrupted: plan.shards.length,
      corruptedOn: plan.rotting.name,
      wrongShardsNoticed: one.noticed + two.noticed,
      rowsChanged,
      bytesSource: second.snapshot.totals.bytes,
      bytesStored,
      snapshots: [one.outcome, two.outcome],
      separation,
      compressible,
      unexplainedShards: unexplained.length,
      seconds: (performance.now() - startedAt) / 1000,
    };
  }

  async #raise(): Promise<Swarm> {
    const tell = this.#tell;
    tell.step(
      'A swarm of peers',
      'Each peer is a process of its own that lends disk over mutual TLS. Nobody trusts any of them:',
      'peers see shards that look like noise, and never two shards that belong together.',
    );
    tell.command('holdfast lab up');
    tell.progress('starting …');
    const swarm = await startSwarm(this.#path('lab'), this.#signal);
    for (const line of swarmMap(swarm.peers, tell.colors, (peer) => ({
      mark: 'well',
      text: peer.operator,
    }))) {
      tell.line(line);
    }
    tell.done(`${swarm.peers.length} peers of ${OPERATORS} operators in ${REGIONS.length} regions`);
    return swarm;
  }

  async #fill(path: string): Promise<void> {
    const tell = this.#tell;
    tell.step(
      'A database worth keeping',
      'A chat service after one year: people, channels, messages, attachments, reactions, full-text search,',
      'with indexes, triggers, views, a generated column and tables without row ids.',
    );
    await makeChatDatabase(path, {
      seed: this.#seed,
      scale: 1,
      signal: this.#signal,
      onProgress: (fraction) => tell.progress(`filling … ${Math.round(fraction * 100)} %`),
    });
    const { size } = await stat(path);
    if (size < LEAST_BYTES) throw new Error(`The database has only ${formatBytes(size)}.`);
    await this.#holdfast(['source', 'add', SOURCE, 'sqlite', path]);
    tell.command(`holdfast source add ${SOURCE} sqlite chat.db`);
    tell.done(`${formatBytes(size)}, from seed ${this.#seed}`);
  }

  async #backUp(title: string, ...why: string[]): Promise<BackupResult> {
    const tell = this.#tell;
    tell.step(title, ...why);
    tell.command(`holdfast backup ${SOURCE}`);
    const { backups } = await this.#holdfast<{ backups: BackupResult[] }>(['backup', SOURCE]);
    const result = backups[0]!;
    const { totals, k, m } = result.snapshot;
    tell.fact(`${formatBytes(totals.bytes)} of database, ${formatBytes(totals.storedBytes)} sent as shards;`);
    tell.fact(`any ${k} of the ${k + m} shards of a partition rebuild it.`);
    tell.done(`snapshot ${result.snapshot.id.slice(0, 8)}`);
    return result;
  }

  async #changeAndBackUp(live: string): Promise<{ rowsChanged: number; second: BackupResult }> {
    // Still open, with its changes in the write-ahead log only: as the service that uses it would be.
    const service = new DatabaseSync(live);
    try {
      service.exec('PRAGMA wal_autocheckpoint = 0');
      const { updated, inserted, deleted } = editChatDatabase(service, {
        seed: this.#seed + 1,
        fraction: CHANGED,
      });
      const second = await this.#backUp(
        'Life goes on, and a second backup',
        `1 % of the rows changed all over the file: ${updated} updated, ${inserted} inserted, ${deleted} deleted.`,
        'The service still has the database open, the changes are in its write-ahead log only.',
      );
      service.exec('PRAGMA wal_checkpoint(TRUNCATE)');
      return { rowsChanged: updated + inserted + deleted, second };
    } finally {
      service.close();
    }
  }

  async #damage(seen: Observation, m: number): Promise<DamagePlan> {
    const tell = this.#tell;
    tell.step(
      'Then disaster strikes',
      `${m} peers may be lost. Those ${m} die whose loss leaves the most partitions without a spare shard. Then the disk of`,
      'another one rots, in every shard that can still be borne.',
    );
    const plan = planDamage(this.#swarm, seen, m);
    tell.command(`holdfast lab kill ${plan.dying.map((peer) => peer.number).join(' ')}`);
    await killPeers(this.#swarm, plan.dying, this.#signal);
    await rot(plan.shards, new SeededRandom(this.#seed));
    for (const line of this.#map(seen, plan)) tell.line(line);
    const { dying, rotting, shards, spared, atTheLimit } = plan;
    if (spared > 0)
      tell.fact(`Spared: ${spared} shards on ${rotting.name} whose partitions lost ${m} already.`);
    tell.fact(
      `Now ${atTheLimit} of ${grouped(seen.stripes.length)} partitions have only just the shards that they need.`,
    );
    tell.done(`${names(dying)} killed (SIGKILL), ${shards.length} shards damaged on ${rotting.name}`);
    return plan;
  }

  #map(seen: Observation, plan: DamagePlan): string[] {
    const held = (id: string): number => seen.shards.filter((shard) => shard.peer.id === id).length;
    return swarmMap(this.#swarm.peers, this.#tell.colors, (peer) => {
      const shards = `${held(peer.id)} shards`;
      if (plan.dying.includes(peer)) return { mark: 'dead', text: `${shards} gone` };
      if (peer === plan.rotting) return { mark: 'rotten', text: `${plan.shards.length} of ${shards} rotten` };
      return { mark: 'well', text: shards };
    });
  }

  async #restore(
    backup: BackupResult,
    original: string,
  ): Promise<{ outcome: SnapshotOutcome; noticed: number }> {
    const tell = this.#tell;
    const { id, totals } = backup.snapshot;
    const short = id.slice(0, 8);
    tell.step(
      `Snapshot ${short} comes back`,
      'From any k good shards of each partition, wherever they are left.',
    );
    tell.command(`holdfast restore ${short} --to restored.db`);
    const restored = this.#path(`restored-${short}.db`);
    const result = await this.#holdfast<RestoreResult>(['restore', id, '--to', restored]);
    const noticed = result.faults.reduce((sum, fault) => sum + fault.wrongBytes, 0);
    tell.fact(
      `${result.decoded} of ${result.partitions} partitions computed from parity, ${noticed} rotten shards noticed`,
    );
    tell.progress('comparing with the original, row by row …');
    const comparison = await compareDatabases(original, restored, this.#signal);
    for (const file of [restored, `${restored}-wal`, `${restored}-shm`]) await rm(file, { force: true });
    this.#tellComparison(comparison);
    return {
      noticed,
      outcome: {
        id,
        bytes: totals.bytes,
        sentBytes: totals.storedBytes,
        backupSeconds: backup.seconds,
        restoreSeconds: result.seconds,
        comparison,
      },
    };
  }

  #tellComparison({ differences, rows, tables, sameFile }: Comparison): void {
    const tell = this.#tell;
    for (const difference of differences) tell.fact(tell.colors.red(difference));
    if (differences.length > 0) return;
    const file = sameFile ? ', and the file byte for byte' : '';
    tell.done(`all ${grouped(rows)} rows of ${tables} tables are identical to the original${file}`);
  }

  #judge(): Separation {
    const tell = this.#tell;
    tell.step(
      'Who could have read anything?',
      "Every shard file on the peers' disks is mapped back to its partition with the owner's key, at three moments, and",
      'the recorded history of holders is added.',
    );
    const separation = this.#witness.verdict();
    for (const violation of [...separation.violations, ...separation.operatorViolations]) {
      tell.fact(tell.colors.red(violation));
    }
    const { partitions, shards, mostPerOperator, violations } = separation;
    const who = `${shards} shards of ${partitions} partitions: ${violations.length} peers ever held two of one partition`;
    tell.done(`${who}, no operator more than ${mostPerOperator}`);
    return separation;
  }

  #holdfast<T>(args: readonly string[]): Promise<T> {
    const { live } = this.#tell;
    return holdfast<T>(args, { vault: this.#swarm.vault, signal: this.#signal, progress: live });
  }

  #path(name: string): string {
    return join(this.#directory, name);
  }
}

const names = (peers: readonly Peer[]): string => peers.map((peer) => peer.name).join(' and ');

async function sizes(seen: Observation): Promise<number> {
  let sum = 0;
  for (const { path } of seen.shards) sum += (await stat(path)).size;
  return sum;
}

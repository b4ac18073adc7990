import type { PartitionId, PeerId } from '@holdfast/contracts';
import type { PartitionState } from './state.ts';
import { transferHash } from './transfer-hash.ts';

interface StepBase {
  /** Unique in its plan. */
  readonly id: number;
  readonly partition: PartitionId;
  readonly index: number;
  /** Steps of the same partition that must be done before. All others may run in any order, or never. */
  readonly after: readonly number[];
  /** Wall clock, ms. */
  readonly notBefore?: number;
  readonly deadline?: number;
}

/** A holder's shard goes to a further peer. From its beginning on, `to` counts as a holder. */
export interface CopyStep extends StepBase {
  readonly kind: 'copy';
  readonly from: PeerId;
  readonly to: PeerId;
  readonly bytes: number;
  /** `transferHash` */
  readonly verificationHash: string;
}

/** A shard that nobody has any more is computed from others and goes to a peer. */
export interface MakeStep extends StepBase {
  readonly kind: 'make';
  /** With Reed–Solomon exactly the k to read; with a Clay code all that can help. */
  readonly sources: readonly { readonly index: number; readonly peer: PeerId }[];
  /** How many of the sources send a part each (a Clay code's d). 0: all send their whole shard. */
  readonly helpers: number;
  readonly to: PeerId;
  readonly bytes: number;
  readonly verificationHash: string;
}

/** The peer proves, or is asked for the bytes to see, that it has the shard of this hash. */
export interface VerifyStep extends StepBase {
  readonly kind: 'verify';
  readonly peer: PeerId;
  readonly hash: string;
}

/** The peer deletes the shard, and becomes a former holder. */
export interface ReleaseStep extends StepBase {
  readonly kind: 'release';
  readonly peer: PeerId;
}

/** The peer is away and counted on no longer; it may still have the shard, so that it stays on record for good. */
export interface WriteOffStep extends StepBase {
  readonly kind: 'write-off';
  readonly peer: PeerId;
}

export type Step = CopyStep | MakeStep | VerifyStep | ReleaseStep | WriteOffStep;

/** When a shard's steps may and must happen, wall clock, ms. */
export interface Schedule {
  readonly notBefore?: number;
  readonly deadline?: number;
  readonly verifyFrom?: number;
  readonly verifyBy?: number;
}

type Shard = { readonly partition: PartitionState; readonly index: number };

/**
 * Writes plans of one pattern only: the replacement arrives, is verified, and only then the old holder goes. A shard that
 * is moved again waits until its first move is verified.
 */
export class StepWriter {
  readonly steps: Step[] = [];
  /** The verification of the newest holder, if it is one of this plan's. */
  readonly #verified = new Map<string, number>();

  move({ partition, index }: Shard, from: PeerId, to: PeerId, schedule: Schedule = {}): void {
    const hash = partition.hashes[index]!;
    const earlier = this.#verified.get(`${partition.id} ${index}`);
    const copy: CopyStep = {
      ...this.#base({ partition, index }, earlier === undefined ? [] : [earlier]),
      ...timed(schedule.notBefore, schedule.deadline),
      kind: 'copy',
      from,
      to,
      bytes: partition.shardBytes,
      verificationHash: transferHash({ partition: partition.id, index, from, to, hash }),
    };
    this.steps.push(copy);
    const verified = this.#verify({ partition, index }, to, [copy.id], schedule);
    this.#leave({ partition, index }, 'release', from, verified, schedule);
  }

  make(
    { partition, index }: Shard,
    work: Pick<MakeStep, 'sources' | 'helpers' | 'to'> & { readonly lost: PeerId | null },
    schedule: Schedule = {},
  ): void {
    const { lost, to, ...reading } = work;
    const hash = partition.hashes[index]!;
    const make: MakeStep = {
      ...this.#base({ partition, index }, []),
      ...timed(schedule.notBefore, schedule.deadline),
      kind: 'make',
      ...reading,
      to,
      bytes: partition.shardBytes,
      verificationHash: transferHash({ partition: partition.id, index, from: null, to, hash }),
    };
    this.steps.push(make);
    const verified = this.#verify({ partition, index }, to, [make.id], schedule);
    if (lost !== null) this.#leave({ partition, index }, 'write-off', lost, verified, schedule);
  }

  /** `stays` is seen to have the shard, then `goes` deletes what it got of it. */
  takeBack(shard: Shard, stays: PeerId, goes: PeerId): void {
    const verified = this.#verify(shard, stays, [], {});
    this.#leave(shard, 'release', goes, verified, {});
  }

  #base({ partition, index }: Shard, after: readonly number[]) {
    return { id: this.steps.length, partition: partition.id, index, after };
  }

  #verify(shard: Shard, peer: PeerId, after: readonly number[], schedule: Schedule): number {
    const { partition, index } = shard;
    const step: VerifyStep = {
      ...this.#base(shard, after),
      ...timed(schedule.verifyFrom, schedule.verifyBy),
      kind: 'verify',
      peer,
      hash: partition.hashes[index]!,
    };
    this.steps.push(step);
    this.#verified.set(`${partition.id} ${index}`, step.id);
    return step.id;
  }

  #leave(
    shard: Shard,
    kind: 'release' | 'write-off',
    peer: PeerId,
    verified: number,
    { verifyFrom, verifyBy }: Schedule,
  ): void {
    this.steps.push({ ...this.#base(shard, [verified]), ...timed(verifyFrom, verifyBy), kind, peer });
  }
}

const timed = (notBefore: number | undefined, deadline: number | undefined) => ({
  ...(notBefore === undefined ? {} : { notBefore }),
  ...(deadline === undefined ? {} : { deadline }),
});

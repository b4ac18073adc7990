import { alternate, type Contender, medianRatio, type Rounds, type Times } from '../harness/alternation.ts';
import { progress } from '../harness/progress.ts';
import { median, type Result, rounded } from '../harness/report.ts';
import { threadTime } from '../harness/thread-time.ts';
import { consistentHashing } from './consistent-hashing.ts';
import { crush, crushHierarchy } from './crush.ts';
import { holdfast, recordsOf, verify } from './holdfast.ts';
import type { Scheme } from './scheme.ts';
import { type BenchPeer, partitionIds, type Shape, type SwarmKind, swarm, totalWeight } from './swarm.ts';

export interface Case extends Shape {
  readonly kind: SwarmKind;
  readonly peers: number;
}

/** Ours first. */
export const SCHEMES: readonly Scheme[] = [holdfast, crush, crushHierarchy, consistentHashing];

export const paramsOf = ({ kind, peers, k, m }: Case): Result['params'] => ({ swarm: kind, peers, k, m });

/** Different partitions, again and again: more than caches keep apart. */
const PARTITIONS = 16_384;
const RECORDS = 2_048;

/** Placements and verifications a second, and how long preparing takes. */
export async function speedResults(one: Case, rounds: Rounds): Promise<Result[]> {
  const peers = swarm(one.kind, one.peers);
  progress(`${one.kind}, ${one.peers} peers: placing …`);
  const placing = await alternate(
    SCHEMES.map((scheme) => placingBy(scheme, peers, one)),
    rounds,
  );
  progress(`${one.kind}, ${one.peers} peers: preparing …`);
  const preparing = await alternate(
    SCHEMES.map((scheme) => preparingBy(scheme, peers, one)),
    rounds,
  );
  progress(`${one.kind}, ${one.peers} peers: verifying …`);
  const verifying = await alternate([verifyingOurs(peers, one)], rounds);
  return [
    resultOf('placements', one, placing, 'per second'),
    resultOf('preparation', one, preparing, 'ms'),
    resultOf('verifications', one, verifying, 'per second'),
  ];
}

function placingBy(scheme: Scheme, peers: readonly BenchPeer[], shape: Shape): Contender {
  const placer = scheme.prepare(peers, shape, totalWeight(peers) / peers.length);
  const partitions = partitionIds(0, PARTITIONS);
  let next = 0;
  return repeated(scheme.name, () => placer.place(partitions[next++ % PARTITIONS]!).length);
}

function preparingBy(scheme: Scheme, peers: readonly BenchPeer[], shape: Shape): Contender {
  const unit = totalWeight(peers) / peers.length;
  const [partition] = partitionIds(0, 1);
  // With the first placement: what a scheme puts off until then is preparation too.
  return repeated(scheme.name, () => scheme.prepare(peers, shape, unit).place(partition!).length);
}

function verifyingOurs(peers: readonly BenchPeer[], shape: Shape): Contender {
  const records = recordsOf(peers, shape, partitionIds(0, RECORDS));
  let next = 0;
  return repeated(holdfast.name, () => {
    const record = records[next++ % RECORDS]!;
    verify(record);
    return record.placed.length;
  });
}

/** @param step returns what must not be zero, so that the work cannot be left out. */
function repeated(name: string, step: () => number): Contender {
  return {
    name,
    run: async (times) => {
      let sum = 0;
      const took = threadTime(() => {
        for (let i = 0; i < times; i++) sum += step();
      });
      if (sum === 0) throw new Error(`${name} placed nothing.`);
      return took;
    },
  };
}

function resultOf(name: string, one: Case, times: Times, unit: 'per second' | 'ms'): Result {
  const ours = times.get(holdfast.name)!;
  const others = [...times.keys()].filter((other) => other !== holdfast.name);
  const nanoseconds = median(ours);
  return {
    name,
    params: paramsOf(one),
    value: rounded(unit === 'ms' ? nanoseconds / 1e6 : 1e9 / nanoseconds),
    unit,
    ratios: Object.fromEntries(others.map((other) => [other, rounded(medianRatio(ours, times.get(other)!))])),
  };
}

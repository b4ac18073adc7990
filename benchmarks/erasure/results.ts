import type { KernelVariant, StripeShape } from '@holdfast/erasure';
import { medianRatio, mibPerSecond, type Times } from '../harness/alternation.ts';
import { median, type Result, rounded } from '../harness/report.ts';
import { dataBytes, type Operation } from './coder.ts';

export interface Ours {
  readonly name: string;
  readonly variant: KernelVariant;
}

/** One operation at one shape: a result for each of our kernels, with its ratios to all others that did it. */
export function resultsOf(
  operation: Operation,
  shape: StripeShape,
  times: Times,
  ours: readonly Ours[],
): Result[] {
  const { k, m, bytes } = shape;
  const peers = [...times.keys()].filter((name) => !ours.some((one) => one.name === name));
  return ours.map(({ name, variant }) => {
    const mine = times.get(name)!;
    return {
      name: operation,
      params: { k, m, shardKiB: bytes / 1024, variant },
      value: rounded(mibPerSecond(dataBytes(operation, shape), median(mine))),
      unit: 'MiB/s',
      ratios: Object.fromEntries(peers.map((peer) => [peer, rounded(medianRatio(mine, times.get(peer)!))])),
    };
  });
}

import { type StripeShape, supportedVariants } from '@holdfast/erasure';
import { alternate, type Contender, type Rounds } from '../harness/alternation.ts';
import { progress } from '../harness/progress.ts';
import type { Result } from '../harness/report.ts';
import { type Coder, OPERATIONS } from './coder.ts';
import { HoldfastCoder } from './holdfast.ts';
import { resultsOf } from './results.ts';

const SHAPES = [
  [4, 2],
  [10, 4],
  [16, 8],
  [29, 51],
] as const;
const SHARD_BYTES = [64 * 1024, 1024 * 1024];

const stripes: readonly StripeShape[] = SHAPES.flatMap(([k, m]) =>
  SHARD_BYTES.map((bytes) => ({ k, m, bytes })),
);

export interface CodingOptions extends Rounds {
  /** Whether the scalar kernel is measured too, which takes most of the time. */
  readonly scalar: boolean;
}

/** Every operation at every shape, by all of our kernels and by the peers in turn. */
export async function codingResults(peers: readonly Coder[], options: CodingOptions): Promise<Result[]> {
  const variants = supportedVariants().filter((variant) => options.scalar || variant !== 'scalar');
  const ours = variants.map((variant) => new HoldfastCoder(variant));
  const results: Result[] = [];
  for (const stripe of stripes) {
    const shown = `${stripe.k}+${stripe.m}, ${stripe.bytes / 1024} KiB`;
    progress(`${shown}: preparing …`);
    const ready = await prepared([...ours, ...peers], stripe);
    const ofStripe: Result[] = [];
    for (const operation of OPERATIONS) {
      progress(`${shown}: ${operation} …`);
      const contenders = ready
        .filter((coder) => coder.operations.includes(operation))
        .map((coder): Contender => ({ name: coder.name, run: (times) => coder.run(operation, times) }));
      ofStripe.push(...resultsOf(operation, stripe, await alternate(contenders, options), ours));
    }
    // Together what the table shows together.
    results.push(
      ...ours.flatMap(({ variant }) => ofStripe.filter(({ params }) => params.variant === variant)),
    );
  }
  for (const coder of ours) await coder.close();
  return results;
}

async function prepared(coders: readonly Coder[], stripe: StripeShape): Promise<Coder[]> {
  const ready: Coder[] = [];
  for (const coder of coders) if (await coder.prepare(stripe)) ready.push(coder);
  return ready;
}

import { alternate, type Contender, medianRatio, mibPerSecond, type Rounds } from '../harness/alternation.ts';
import { progress } from '../harness/progress.ts';
import { median, type Result, rounded } from '../harness/report.ts';
import { boundOf, mediansOf, shares } from './bound.ts';
import { sealingPrimitives } from './primitives.ts';
import { SealingPass, type Shape, STEPS } from './sealing-pass.ts';

/** One thread: the pass, what its steps take, and what its primitives alone would. */
export async function sealingResults(shape: Shape, options: Rounds): Promise<Result[]> {
  progress(`${shape.k}+${shape.m}: sealing …`);
  const pass = new SealingPass(shape);
  const whole: Contender = { name: 'seal', run: async (times) => pass.run(times) };
  const primitives = sealingPrimitives(shape);
  const times = await alternate([whole, ...primitives], options);
  const [ours, bound] = [times.get('seal')!, boundOf(times, primitives)];
  const rate = (nanoseconds: readonly number[]) =>
    rounded(mibPerSecond(pass.payloadBytes, median(nanoseconds)));
  const params = { ...shape, threads: 1 };
  return [
    {
      name: 'seal, code and hash',
      params,
      value: rate(ours),
      unit: 'MiB/s',
      ratios: { bound: rounded(medianRatio(ours, bound)) },
    },
    ...shares('of the pass: ', params, new Map(STEPS.map((step) => [step, pass.spent[step]]))),
    { name: 'bound by primitives', params, value: rate(bound), unit: 'MiB/s', ratios: {} },
    ...shares('of the bound: ', params, mediansOf(times, primitives)),
  ];
}

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { SHARD_BYTES } from '@holdfast/contracts';
import { payloadCapacity } from '@holdfast/crypto';
import { alternate, type Contender, medianRatio, mibPerSecond, type Rounds } from '../harness/alternation.ts';
import { progress } from '../harness/progress.ts';
import { median, type Result, rounded } from '../harness/report.ts';
import type { Shape } from './sealing-pass.ts';

/** As the sealing threads have it. */
const YOUNG_GENERATION_MB = 4;

/** The same pass in one worker thread and in two at once, which share nothing but the machine. */
export async function workerResults(shape: Shape, options: Rounds): Promise<Result[]> {
  progress(`${shape.k}+${shape.m}: two workers …`);
  const workers = [await start(shape), await start(shape)];
  try {
    const one = together('one worker', workers.slice(0, 1));
    const two = together('two workers', workers);
    const times = await alternate([one, two], options);
    const both = times.get(two.name)!;
    const payload = payloadCapacity(shape.k, SHARD_BYTES);
    return [
      {
        name: 'seal, code and hash',
        params: { ...shape, threads: 2 },
        value: rounded(mibPerSecond(payload, median(both))),
        unit: 'MiB/s',
        ratios: { [one.name]: rounded(medianRatio(both, times.get(one.name)!)) },
      },
    ];
  } finally {
    for (const worker of workers) await worker.terminate();
  }
}

async function start(shape: Shape): Promise<Worker> {
  const worker = new Worker(new URL('./pass-worker.ts', import.meta.url), {
    workerData: shape,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
  });
  await once(worker, 'message');
  return worker;
}

/** Each does as many; the time is shared among all that was done. */
function together(name: string, workers: readonly Worker[]): Contender {
  return {
    name,
    run: async (times) => {
      const start = process.hrtime.bigint();
      await Promise.all(
        workers.map((worker) => {
          worker.postMessage(times);
          return once(worker, 'message');
        }),
      );
      return Number(process.hrtime.bigint() - start) / workers.length;
    },
  };
}

/** Thread entry: a sealing pass of its own. Each message says how many times; the answer says that it is done. */
import { parentPort, workerData } from 'node:worker_threads';
import { SealingPass, type Shape } from './sealing-pass.ts';

const pass = new SealingPass(workerData as Shape);
parentPort!.on('message', (times: number) => {
  pass.run(times);
  parentPort!.postMessage('done');
});
parentPort!.postMessage('ready');

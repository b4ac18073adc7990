import { systemRandom } from '@holdfast/crypto';
import { clockContract } from '@holdfast/testing/clock-contract';
import { randomContract } from '@holdfast/testing/random-contract';
import { systemClock } from '../src/index.ts';

clockContract('system', () => ({
  clock: systemClock,
  pass: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  timers: () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length,
}));

randomContract('system', () => systemRandom);

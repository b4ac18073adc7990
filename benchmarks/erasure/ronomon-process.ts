/** The other side of peer-process.ts for `@ronomon/reed-solomon`: `node ronomon-process.ts BINDING VERSION`. */
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { fillNoise } from '../harness/noise.ts';
import { mostLost } from './coder.ts';

interface Binding {
  readonly MAX_K: number;
  readonly MAX_M: number;
  create(k: number, m: number): Buffer;
  encode(
    context: Buffer,
    sources: number,
    targets: number,
    buffer: Buffer,
    bufferOffset: number,
    bufferSize: number,
    parity: Buffer,
    parityOffset: number,
    paritySize: number,
    done: (error?: Error) => void,
  ): void;
}

/** Codes once, making the shards whose bits are set from all others. */
type Work = () => Promise<void>;

const [, , path, version] = process.argv;
const binding = createRequire(import.meta.url)(path!) as Binding;
/** Calls on their way, so that its one thread never waits for ours. */
const AHEAD = 4;
const work = new Map<string, Work>();

async function prepare(k: number, m: number, bytes: number): Promise<string> {
  if (k > binding.MAX_K || m > binding.MAX_M) return 'refused';
  // Its interface wants shards side by side.
  const [data, parity] = [Buffer.alloc(k * bytes), Buffer.alloc(m * bytes)];
  fillNoise(data, 1);
  const original = Buffer.from(data);
  const context = binding.create(k, m);
  const all = 2 ** (k + m) - 1;
  const making = (targets: number): Work => {
    return () =>
      new Promise((resolve, reject) => {
        const done = (error?: Error): void => (error ? reject(error) : resolve());
        const rest = all & ~targets;
        binding.encode(context, rest, targets, data, 0, data.length, parity, 0, parity.length, done);
      });
  };
  const lost = mostLost({ k, m }).length;
  work.set('encode', making(all & ~(2 ** k - 1)));
  work.set('rebuild', making(2 ** lost - 1));
  work.set('rebuild-one', making(1));
  await work.get('encode')!();
  for (const [operation, count] of [['rebuild', lost] as const, ['rebuild-one', 1] as const]) {
    data.fill(0, 0, count * bytes);
    await work.get(operation)!();
    if (!data.equals(original)) return `${operation} made wrong bytes`;
  }
  return 'ready';
}

async function run(operation: string, times: number): Promise<string> {
  const one = work.get(operation)!;
  let left = times;
  const lane = async (): Promise<void> => {
    while (left-- > 0) await one();
  };
  const start = process.hrtime.bigint();
  await Promise.all(Array.from({ length: AHEAD }, lane));
  return `${process.hrtime.bigint() - start}`;
}

console.log(version);
for await (const line of createInterface(process.stdin)) {
  const [command, ...words] = line.split(' ');
  if (command === 'prepare') {
    const [k, m, bytes] = words.map(Number);
    console.log(await prepare(k!, m!, bytes!));
  } else {
    console.log(await run(words[0]!, Number(words[1])));
  }
}

import { MiB } from '@holdfast/contracts';
import { logText } from '../../tools/demo/chat-text.ts';
import { SeededRandom } from '../../tools/demo/random.ts';
import { alternate, type Contender, mibPerSecond, type Rounds } from '../harness/alternation.ts';
import { fillNoise } from '../harness/noise.ts';
import { progress } from '../harness/progress.ts';
import { median, type Result, rounded } from '../harness/report.ts';
import type { Shape } from './sealing-pass.ts';
import { StripeMaker } from './stripe-maker.ts';

const LINES_PER_MIB = 12_000;

/** One thread: raw content → compressed, sealed, coded and hashed, all that a sealing thread does. MiB/s of raw content. */
export async function buildingResults(shape: Shape, options: Rounds): Promise<Result[]> {
  progress(`${shape.k}+${shape.m}: compressing and sealing …`);
  const kinds = [
    { content: 'noise', level: 0, maker: new StripeMaker(shape, 0, noise(2 * (shape.k + 1) * MiB)) },
    { content: 'text', level: 1, maker: new StripeMaker(shape, 1, text(8 * (shape.k + 1) * MiB)) },
  ];
  const builders = kinds.map(({ content, maker }) => new Builder(content, maker));
  const times = await alternate(builders, options);
  return kinds.map(({ content, level }, i) => ({
    name: 'compress, seal, code and hash',
    params: { ...shape, threads: 1, content, level },
    value: rounded(mibPerSecond(builders[i]!.rawBytes, median(times.get(content)!))),
    unit: 'MiB/s',
    ratios: {},
  }));
}

class Builder implements Contender {
  readonly name: string;
  readonly #maker: StripeMaker;
  #raw = 0;
  #stripes = 0;

  constructor(name: string, maker: StripeMaker) {
    this.name = name;
    this.#maker = maker;
  }

  /** Of the stripes so far, on average: how much fits depends on how it compresses. */
  get rawBytes(): number {
    return this.#raw / this.#stripes;
  }

  async run(times: number): Promise<number> {
    const start = process.hrtime.bigint();
    for (let i = 0; i < times; i++) {
      const stripe = await this.#maker.make();
      this.#maker.release(stripe);
      this.#raw += stripe.rawSize;
      this.#stripes++;
    }
    return Number(process.hrtime.bigint() - start);
  }
}

export function noise(bytes: number): Uint8Array {
  const content = Buffer.alloc(bytes);
  fillNoise(content, 1);
  return content;
}

function text(bytes: number): Uint8Array {
  const lines = Buffer.from(logText(new SeededRandom(1), Math.ceil((bytes / MiB) * LINES_PER_MIB)));
  if (lines.length < bytes) throw new Error(`The text has ${lines.length} bytes, not ${bytes}.`);
  return lines.subarray(0, bytes);
}

import { blake3 } from '@napi-rs/blake-hash';
import { copyTextOf } from '../../packages/sources/src/rows/copy-text.ts';
import { TupleIntake, type TupleIntakeOptions } from '../../packages/sources/src/rows/tuple-intake.ts';
import { alternate, type Contender, medianRatio, mibPerSecond, type Rounds } from '../harness/alternation.ts';
import { progress } from '../harness/progress.ts';
import { median, type Result, rounded } from '../harness/report.ts';
import { threadTime } from '../harness/thread-time.ts';
import { binaryStream, FIELDS, rowTuples, textStream } from './streams.ts';

/** As a socket gives them. */
const CHUNK_BYTES = 64 * 1024;
const INTO = new Uint8Array(1024 * 1024);
const ROW_KEY = new Uint8Array(32).fill(7);
const BLAKE3 = 'BLAKE3 of each row';

/** Rows of one length: MiB/s of their tuples. */
export async function intakeResults(bytes: number, rounds: Rounds): Promise<Result[]> {
  progress(`rows of ${bytes} bytes …`);
  const tuples = rowTuples(bytes);
  const all = Buffer.concat(tuples);
  const contenders = [
    intake('COPY binary', 'copy-binary', binaryStream(tuples)),
    intake('COPY text', 'copy-text', textStream(tuples)),
    intake('tuples', 'tuples', all),
    timed('to COPY text', () => copyTextOf(all, FIELDS)),
    timed(BLAKE3, () => {
      for (const tuple of tuples) blake3(tuple);
    }),
  ];
  const times = await alternate(contenders, rounds);
  const peer = times.get(BLAKE3)!;
  return contenders.map(({ name }): Result => {
    const ours = times.get(name)!;
    return {
      name,
      params: { row: bytes },
      value: rounded(mibPerSecond(all.length, median(ours))),
      unit: 'MiB/s',
      ratios: name === BLAKE3 ? {} : { [BLAKE3]: rounded(medianRatio(ours, peer)) },
    };
  });
}

function intake(name: string, format: TupleIntakeOptions['format'], stream: Buffer): Contender {
  return timed(name, () => {
    const rows = new TupleIntake({ format, fields: FIELDS, keyFields: 1, rowKey: ROW_KEY });
    for (let at = 0; at < stream.length; ) {
      at += rows.push(stream.subarray(at, at + CHUNK_BYTES));
      while (rows.take(INTO));
    }
    rows.end();
  });
}

function timed(name: string, work: () => void): Contender {
  return {
    name,
    run: async (times) =>
      threadTime(() => {
        for (let i = 0; i < times; i++) work();
      }),
  };
}

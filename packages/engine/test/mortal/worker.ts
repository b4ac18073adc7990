import crypto, { type Cipheriv, type KeyObject } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import zlib from 'node:zlib';
import { StripeArena } from '@holdfast/erasure';
import { type Fate, POINTS, type Point } from './deaths.ts';

/**
 * The production thread, but it dies where the test says. It gets there by itself: what it calls (zlib, ciphers, its port)
 * is wrapped, and its own code is as it is.
 */
const { deaths, thread, counts, ledger } = (workerData as { fate: Fate }).fate;
const everywhere = new Int32Array(counts);
const here = new Int32Array(POINTS.length);
const port = parentPort!;

function pass(point: Point): void {
  const index = POINTS.indexOf(point);
  const all = Atomics.add(everywhere, index, 1) + 1;
  const own = ++here[index]!;
  for (const { at, nth, times = 1, thread: only, how = 'exit' } of deaths) {
    if (at !== point || (only !== undefined && only !== thread)) continue;
    const count = only === undefined ? all : own;
    if (count >= nth && count < nth + times) die(how, point);
  }
}

function die(how: 'exit' | 'memory' | 'throw' | 'later', point: Point): void {
  if (how === 'throw') throw new Error(`The test throws at "${point}".`);
  if (how === 'later') setImmediate(() => die('throw', point));
  if (how === 'memory')
    for (const hoard: unknown[] = []; ; ) hoard.push(new Array(100_000).fill(hoard.length));
  if (how === 'exit') process.exit(7);
}

/** What is sealed with which key and where: the same twice, or the nonce would be used twice. */
function noting(cipher: Cipheriv, key: KeyObject): Cipheriv {
  const name = crypto.createHash('sha256').update(key.export()).digest('hex');
  const update = cipher.update.bind(cipher) as (bytes: Uint8Array) => Buffer;
  let piece = 0;
  return Object.assign(cipher, {
    update(bytes: Uint8Array) {
      pass('seal a piece');
      const hash = crypto.createHash('sha256').update(bytes).digest('hex');
      appendFileSync(ledger, `${name}:${piece++} ${hash}\n`);
      return update(bytes);
    },
  });
}

const { createCipheriv, createDecipheriv } = crypto;
const { zstdCompressSync, zstdDecompressSync } = zlib;
const isSeal = (algorithm: string) => algorithm === 'aes-256-gcm';
Object.assign(crypto, {
  createCipheriv(...args: Parameters<typeof createCipheriv>) {
    if (!isSeal(args[0])) return createCipheriv(...args);
    pass('seal a shard');
    return noting(createCipheriv(...args), args[1] as KeyObject);
  },
  createDecipheriv(...args: Parameters<typeof createDecipheriv>) {
    if (isSeal(args[0])) pass('open a shard');
    return createDecipheriv(...args);
  },
});
Object.assign(zlib, {
  zstdCompressSync(...args: Parameters<typeof zstdCompressSync>) {
    pass('compress');
    return zstdCompressSync(...args);
  },
  zstdDecompressSync(...args: Parameters<typeof zstdDecompressSync>) {
    pass('decompress');
    return zstdDecompressSync(...args);
  },
});
syncBuiltinESMExports();

const { encode, repair } = StripeArena.prototype;
Object.assign(StripeArena.prototype, {
  encode(this: StripeArena, shape: Parameters<typeof encode>[0]) {
    pass('code');
    encode.call(this, shape);
  },
  repair(this: StripeArena, request: Parameters<typeof repair>[0]) {
    pass('repair');
    repair.call(this, request);
  },
});

const pointOf = (when: string, { type }: { type: string }): Point | undefined =>
  POINTS.find((point) => point === `${when} ${type}`);

function passing(when: string, message: { type: string }): void {
  const point = pointOf(when, message);
  if (point) pass(point);
}

const { postMessage, on } = port;
Object.assign(port, {
  postMessage(message: { type: string }) {
    passing('before', message);
    postMessage.call(port, message);
    passing('after', message);
  },
  on(event: string, listener: (message: { type: string }) => void) {
    return on.call(port, event, (message: { type: string }) => {
      passing('got', message);
      listener(message);
    });
  },
});

pass('start');
await import('../../src/sealing/worker.ts');

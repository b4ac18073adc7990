import { parentPort, workerData } from 'node:worker_threads';
import { HoldfastError } from '@holdfast/contracts';
import { SealingKeys } from '@holdfast/crypto';
import { ArenaSet } from './arena-set.ts';
import { hashBlocks } from './block-hashes.ts';
import type {
  FrameInput,
  FromWorker,
  StripeIdentity,
  ToWorker,
  WorkerFailure,
  WorkerInit,
} from './protocol.ts';
import { StripeBuilder } from './stripe-builder.ts';
import { StripeOpener } from './stripe-opener.ts';

/** Thread entry. Sealing jobs run in order, one at a time, and may wait for a free arena; opening never waits. */
const init = workerData as WorkerInit;
const port = parentPort!;
const post = (message: FromWorker, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);

const closing = new Int32Array(init.closing);
const slabs = init.slabs.map((slab) => Buffer.from(slab));
const keys = SealingKeys.fromExport(init.sealingKeys);
const arenas = new ArenaSet(init.arenas);
const opener = new StripeOpener(arenas, keys, init.chunkIdKey);
const identities: StripeIdentity[] = [];
const identityWaiters: (() => void)[] = [];

const builder = new StripeBuilder({
  arenas,
  keys,
  k: init.k,
  m: init.m,
  compressionLevel: init.compressionLevel,
  identity: async () => {
    while (identities.length === 0) await new Promise<void>((resolve) => identityWaiters.push(resolve));
    return identities.shift()!;
  },
  sealed: (stripe) => post({ type: 'sealed', stripe }),
});

let sealing: Promise<unknown> = Promise.resolve();

port.on('message', (message: ToWorker) => {
  switch (message.type) {
    case 'identity':
      identities.push(message.identity);
      identityWaiters.shift()?.();
      return;
    case 'release':
      arenas.release(message.arena);
      return;
    case 'frame':
      enqueue(message.ticket, () => addFrame(message.frame));
      return;
    case 'flush':
      enqueue(message.ticket, async () => builder.flush());
      return;
    case 'reseal':
      enqueue(message.ticket, () => builder.reseal(message.request));
      return;
    case 'borrow':
      void answer(message.ticket, async () => arenas.reference(await arenas.take(message.shards, message.k)));
      return;
    case 'open':
      void answer(message.ticket, async () => opener.open(message.request));
      return;
    case 'inflate':
      inflate(message.ticket, () => opener.inflate(message.request));
      return;
    case 'forget':
      opener.forget(message.handle);
      return;
    case 'close':
      process.exit();
  }
});

function enqueue(ticket: number, job: () => Promise<unknown>): void {
  sealing = sealing.then(() => answer(ticket, job));
}

async function answer(ticket: number, job: () => Promise<unknown>): Promise<void> {
  if (Atomics.load(closing, 0) !== 0) return;
  try {
    post({ type: 'result', ticket, value: await job() });
  } catch (error) {
    post({ type: 'failure', ticket, error: describeFailure(error) });
  }
}

/** Below this Node takes buffers from its pool, whose memory cannot be moved to another thread. */
const POOLED_BYTES = 64 * 1024;

/** The raw bytes are moved, not copied, to the main thread. */
function inflate(ticket: number, job: () => Uint8Array): void {
  try {
    const inflated = job();
    const raw = inflated.length < POOLED_BYTES ? new Uint8Array(inflated) : inflated;
    post({ type: 'result', ticket, value: raw }, [raw.buffer as ArrayBuffer]);
  } catch (error) {
    post({ type: 'failure', ticket, error: describeFailure(error) });
  }
}

async function addFrame(frame: FrameInput) {
  const raw = gather(frame);
  return builder.add(raw, frame.chunks, hashBlocks(init.chunkIdKey, raw, frame.blockBytes));
}

/** Pieces that follow one another in a slab are compressed in place; others are joined first. */
function gather({ pieces }: FrameInput): Uint8Array {
  const first = pieces[0]!;
  let end = first.offset;
  const contiguous = pieces.every((piece) => {
    const follows = piece.slab === first.slab && piece.offset === end;
    end += piece.length;
    return follows;
  });
  if (contiguous) return slabs[first.slab]!.subarray(first.offset, end);
  return Buffer.concat(
    pieces.map(({ slab, offset, length }) => slabs[slab]!.subarray(offset, offset + length)),
  );
}

function describeFailure(error: unknown): WorkerFailure {
  const known = HoldfastError.from(error, 'INTERNAL', error instanceof Error ? error.message : String(error));
  const { code, message, hint, stack } = known;
  return {
    code,
    message,
    hint,
    details: JSON.parse(JSON.stringify(known.details)) as Record<string, unknown>,
    stack,
  };
}

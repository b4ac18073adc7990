import { parentPort, workerData } from 'node:worker_threads';
import { BufferGarbage, HoldfastError } from '@holdfast/contracts';
import { SealingKeys } from '@holdfast/crypto';
import { ArenaSet } from './arena-set.ts';
import { hashBlocks } from './block-hashes.ts';
import type {
  FrameInput,
  FromWorker,
  InflateRequest,
  OpenRequest,
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
const post = (message: FromWorker) => port.postMessage(message);

const closing = new Int32Array(init.closing);
const slabs = init.slabs.map((slab) => Buffer.from(slab));
const garbage = new BufferGarbage();
/** Ciphers give each byte that is sealed or opened in a fresh buffer, and that twice. */
const GARBAGE_PER_BYTE = 2;
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
  sealed: (stripe) => {
    post({ type: 'sealed', stripe });
    garbage.note(GARBAGE_PER_BYTE * stripe.size);
  },
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
      void answer(message.ticket, async () => open(message.request));
      return;
    case 'inflate':
      void answer(message.ticket, async () => inflate(message.request));
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

function inflate(request: InflateRequest): number | Uint8Array {
  const raw = opener.inflate(request);
  garbage.note(raw.length);
  const { into } = request;
  // A frame longer than any of ours would need a buffer that nobody has: it is copied, as an ordinary message.
  if (into !== null && raw.length > into.byteLength) return new Uint8Array(raw);
  if (into !== null) Buffer.from(into).set(raw);
  return raw.length;
}

function open(request: OpenRequest): number {
  garbage.note(GARBAGE_PER_BYTE * request.size);
  return opener.open(request);
}

async function addFrame(frame: FrameInput) {
  const raw = gather(frame);
  garbage.note(raw.length);
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

import { parentPort, workerData } from 'node:worker_threads';
import { BufferGarbage, copyInto, HoldfastError } from '@holdfast/contracts';
import { SealingKeys, wipe } from '@holdfast/crypto';
import { hashBlocks } from './block-hashes.ts';
import type {
  FrameInput,
  FramePart,
  FromWorker,
  InflateRequest,
  OpenRequest,
  ResealRequest,
  SealReport,
  StripeIdentity,
  ToWorker,
  WorkerInit,
} from './protocol.ts';
import { StripeBuilder } from './stripe-builder.ts';
import { StripeOpener } from './stripe-opener.ts';
import { rebuildShards } from './stripe-rebuilder.ts';
import { ThreadArenas } from './thread-arenas.ts';
import { describeFailure } from './worker-failure.ts';

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
const arenas = new ThreadArenas();
const opener = new StripeOpener(arenas, keys, init.chunkIdKey);
const identities: StripeIdentity[] = [];
const identityWaiters: (() => void)[] = [];

const builder = new StripeBuilder({
  arenas,
  keys,
  code: init.code,
  compressionLevel: init.compressionLevel,
  identity: async () => {
    while (identities.length === 0) await new Promise<void>((resolve) => identityWaiters.push(resolve));
    return identities.shift()!;
  },
  closing: (sizeClass, parts) => post({ type: 'closing', ticket: current, parts, sizeClass }),
  sealed: (report) => {
    post({ type: 'sealed', report });
    garbage.note(GARBAGE_PER_BYTE * report.size);
  },
});

let sealing: Promise<unknown> = Promise.resolve();
/** Ticket of the sealing job that is being done. */
let current = -1;

port.on('message', (message: ToWorker) => {
  switch (message.type) {
    case 'arena':
      arenas.know(message.arena);
      return;
    case 'identity':
      identities.push(message.identity);
      identityWaiters.shift()?.();
      return;
    case 'release':
      arenas.release(message.arena);
      return;
    case 'adopt':
      builder.adopt(message.stripe);
      return;
    case 'frame':
      enqueue(message.ticket, () => addFrame(message.frame, message.done));
      return;
    case 'flush':
      enqueue(message.ticket, async () => builder.flush());
      return;
    case 'reseal':
      enqueue(message.ticket, () => reseal(message.request));
      return;
    case 'open':
      void answer(message.ticket, async () => open(message.request));
      return;
    case 'rebuild':
      void answer(message.ticket, async () => rebuildShards(message.request, arenas));
      return;
    case 'reopen':
      opener.reopen(message.request);
      return;
    case 'inflate':
      void answer(message.ticket, async () => inflate(message.request));
      return;
    case 'forget':
      opener.forget(message.handle);
      return;
    case 'close':
      keys.destroy();
      wipe(init.chunkIdKey, ...identities.map(({ packageKey }) => packageKey));
      process.exit();
  }
});

function enqueue(ticket: number, job: () => Promise<unknown>): void {
  sealing = sealing.then(() => {
    current = ticket;
    return answer(ticket, job);
  });
}

async function answer(ticket: number, job: () => Promise<unknown>): Promise<void> {
  if (Atomics.load(closing, 0) !== 0) return;
  try {
    post({ type: 'result', ticket, value: await job() });
  } catch (error) {
    // Nobody knows what else has left behind (a trap in the kernel, no memory for a buffer). The thread ends, and another does
    // the job again.
    if (!HoldfastError.is(error)) throw error;
    post({ type: 'failure', ticket, error: describeFailure(error) });
  }
}

function inflate(request: InflateRequest): number | Uint8Array {
  const raw = opener.inflate(request);
  garbage.note(raw.length);
  const { into } = request;
  // A frame longer than any of ours would need a buffer that nobody has: it is copied, as an ordinary message.
  if (into !== null && raw.length > into.byteLength) return new Uint8Array(raw);
  if (into !== null) copyInto(Buffer.from(into), 0, raw);
  return raw.length;
}

function open(request: OpenRequest): number {
  garbage.note(GARBAGE_PER_BYTE * request.size);
  return opener.open(request);
}

async function addFrame(frame: FrameInput, done: readonly FramePart[]) {
  const raw = gather(frame);
  garbage.note(raw.length);
  return builder.add(raw, frame.chunks, hashBlocks(init.chunkIdKey, raw, frame.blockBytes), done);
}

async function reseal(request: ResealRequest): Promise<SealReport> {
  const report = await builder.reseal(request);
  garbage.note(GARBAGE_PER_BYTE * report.size);
  return report;
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

post({ type: 'ready' });

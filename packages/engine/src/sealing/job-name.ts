import type { LaneRecord } from './lane-record.ts';
import type { JobRequest } from './protocol.ts';

/** What a thread was doing, for people and, in `details`, for machines. */
export interface JobName {
  readonly words: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** @param request the first that has no answer: jobs are done in order. */
export function nameOf(request: JobRequest | undefined, record: LaneRecord): JobName {
  const { stripe } = record;
  if (stripe && (stripe.closing !== null || request?.type === 'flush')) {
    const partition = stripe.identity.id;
    return { words: `while sealing partition ${partition}`, details: { partition } };
  }
  switch (request?.type) {
    case 'frame': {
      const chunks = request.frame.chunks.map(({ id }) => id);
      const bytes = request.frame.chunks.reduce((sum, { length }) => sum + length, 0);
      const words = `while compressing ${bytes} bytes in chunks ${list(chunks)}`;
      return { words, details: { chunks, ...(stripe && { partition: stripe.identity.id }) } };
    }
    case 'reseal': {
      const partition = request.request.identity.id;
      return { words: `while sealing partition ${partition} again`, details: { partition } };
    }
    case 'open': {
      const partition = request.request.id;
      return { words: `while opening partition ${partition}`, details: { partition } };
    }
    case 'rebuild': {
      const partition = request.request.id;
      return { words: `while making shards of partition ${partition} again`, details: { partition } };
    }
    case 'inflate': {
      const { handle, frame } = request.request;
      const partition = record.opened(handle)?.id;
      const words = `while decompressing frame ${frame} of partition ${partition}`;
      return { words, details: { partition, frame } };
    }
    default:
      return { words: 'with nothing to do', details: {} };
  }
}

const NAMED = 3;

const list = (chunks: readonly string[]): string =>
  chunks.slice(0, NAMED).join(', ') + (chunks.length > NAMED ? ` and ${chunks.length - NAMED} more` : '');

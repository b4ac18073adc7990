import { HoldfastError, MiB } from '@holdfast/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CborValue } from '../src/index.ts';
import {
  type BodyChoice,
  encodeFrameHead,
  type FrameHandler,
  FrameReader,
  MAX_BODY_BYTES,
  MAX_HEADER_BYTES,
} from '../src/wire/index.ts';

interface Seen {
  header: CborValue;
  body: Buffer | null;
}

/** Collects frames and does with each body what it was told to. */
class Collector implements FrameHandler {
  readonly seen: Seen[] = [];
  readonly #choose: (header: CborValue, bodyLength: number) => BodyChoice;
  constructor(choose: (header: CborValue, bodyLength: number) => BodyChoice) {
    this.#choose = choose;
  }
  header(header: CborValue, bodyLength: number): BodyChoice {
    return this.#choose(header, bodyLength);
  }
  frame(header: CborValue, body: Uint8Array | null): void {
    this.seen.push({ header, body: body && Buffer.from(body) });
  }
}

const frames = fc.array(
  fc.record({
    header: fc.array(fc.oneof(fc.nat(), fc.string(), fc.uint8Array()), { maxLength: 4 }),
    body: fc.uint8Array({ maxLength: 300 }),
    choice: fc.constantFrom('take', 'discard', 'wait', 'wait-discard'),
  }),
  { maxLength: 6 },
);

describe('FrameReader', () => {
  it('finds the same frames however the stream is cut', () => {
    fc.assert(
      fc.property(frames, fc.infiniteStream(fc.integer({ min: 1, max: 90 })), (sent, cuts) => {
        const stream = Buffer.concat(
          sent.flatMap(({ header, body }) => [encodeFrameHead(header, body.length), body]),
        );
        let next = 0;
        const collector = new Collector((_, length) => {
          const { choice } = sent[next++]!;
          return choice === 'take' ? new Uint8Array(length + 3) : choice === 'discard' ? 'discard' : 'wait';
        });
        const reader = new FrameReader(collector);
        for (let at = 0; at < stream.length; ) {
          const piece = stream.subarray(at, at + cuts.next().value);
          at += piece.length;
          let consumed = reader.push(piece);
          while (!consumed) {
            const { choice, body } = sent[next - 1]!;
            consumed = reader.resume(choice === 'wait' ? new Uint8Array(body.length) : 'discard');
          }
        }
        expect(reader.midFrame).toBe(false);
        expect(collector.seen).toEqual(
          sent.map(({ header, body, choice }) => ({
            header,
            body: choice.endsWith('discard') || body.length === 0 ? null : Buffer.from(body),
          })),
        );
      }),
    );
  });

  it('answers arbitrary bytes with PEER_PROTOCOL or waits for more, and never takes more than it may', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 80 })), (pieces) => {
        const reader = new FrameReader(new Collector(() => 'discard'));
        try {
          for (const piece of pieces) reader.push(Buffer.from(piece));
        } catch (error) {
          expect(HoldfastError.is(error, 'PEER_PROTOCOL')).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('refuses announcements over the limits before anything is allocated', () => {
    const announce = (header: number, body: number): Buffer => {
      const prefix = Buffer.alloc(8);
      prefix.writeUInt32BE(header, 0);
      prefix.writeUInt32BE(body, 4);
      return prefix;
    };
    for (const [header, body] of [
      [0, 0],
      [MAX_HEADER_BYTES + 1, 0],
      [0xffff_ffff, 0],
      [10, MAX_BODY_BYTES + 1],
      [10, 0xffff_ffff],
    ] as const) {
      const reader = new FrameReader(new Collector(() => 'discard'));
      expect(() => reader.push(announce(header, body))).toThrow(
        expect.objectContaining({ code: 'PEER_PROTOCOL' }),
      );
    }
    const before = process.memoryUsage().arrayBuffers;
    const readers = Array.from({ length: 64 }, () => new FrameReader(new Collector(() => 'discard')));
    for (const reader of readers) reader.push(announce(MAX_HEADER_BYTES, MAX_BODY_BYTES));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(MiB);
  });

  it('leaves a destination alone once its body is discarded', () => {
    const destination = new Uint8Array(8);
    const collector = new Collector(() => destination);
    const reader = new FrameReader(collector);
    reader.push(Buffer.concat([encodeFrameHead([1], 8), Buffer.from([1, 1, 1])]));
    reader.discardBody();
    reader.push(Buffer.from([2, 2, 2, 2, 2]));
    expect([...destination]).toEqual([1, 1, 1, 0, 0, 0, 0, 0]);
    expect(collector.seen).toEqual([{ header: [1], body: null }]);
  });

  it('refuses to build a frame over the limits', () => {
    expect(() => encodeFrameHead(new Uint8Array(MAX_HEADER_BYTES), 0)).toThrow(/too large/);
    expect(() => encodeFrameHead([1], MAX_BODY_BYTES + 1)).toThrow(/too large/);
  });
});

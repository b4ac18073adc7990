import type { ChunkId } from '@holdfast/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeJournalFrames,
  encodeJournalFrames,
  finishPayload,
  MAX_FRAME_RAW_BYTES,
  PAYLOAD_HEADER_BYTES,
  PAYLOAD_INDEX_BASE_BYTES,
  PAYLOAD_INDEX_CHUNK_BYTES,
  PAYLOAD_INDEX_FRAME_BYTES,
  type PayloadFrame,
  payloadIndexBytes,
  readPayload,
} from '../src/index.ts';
import { bytes } from './arbitraries.ts';
import { journalFrames, payloadFrames } from './format-arbitraries.ts';
import { checkHostileInput } from './hostile.ts';

const storedBytes = (frames: readonly PayloadFrame[]): number =>
  frames.reduce((sum, { storedLength }) => sum + storedLength, 0);

/** Room for the index and `spare` bytes of padding; the whole is dirty before it is finished. */
function build(frames: readonly PayloadFrame[], spare = 100): Uint8Array {
  const index = payloadIndexBytes(frames.map(({ chunks }) => ({ chunks: chunks.length })));
  const payload = new Uint8Array(PAYLOAD_HEADER_BYTES + storedBytes(frames) + index + spare).fill(0xa5);
  finishPayload(payload, frames);
  return payload;
}

const withoutStart = ({ codec, rawLength, storedLength, chunks }: PayloadFrame): PayloadFrame => ({
  codec,
  rawLength,
  storedLength,
  chunks,
});

const id = (n: number): ChunkId => n.toString(16).padStart(64, '0') as ChunkId;
const raw = (length: number, first = 0): PayloadFrame => ({
  codec: 0,
  rawLength: length,
  storedLength: length,
  chunks: [{ id: id(first), length }],
});

describe('a payload', () => {
  it('gives back its frames, leaves their bytes alone and zeroes the rest', () => {
    fc.assert(
      fc.property(payloadFrames, fc.nat({ max: 200_000 }), (frames, spare) => {
        const payload = build(frames, spare);
        const read = readPayload(payload);
        expect(read.frames.map(withoutStart)).toEqual(frames);
        const end = PAYLOAD_HEADER_BYTES + storedBytes(frames);
        expect(payload.subarray(PAYLOAD_HEADER_BYTES, end).every((byte) => byte === 0xa5)).toBe(true);
        expect(payload.subarray(read.used).every((byte) => byte === 0)).toBe(true);
        const starts = read.frames.map(({ start, storedLength }) => start + storedLength);
        expect(read.frames.map(({ start }) => start)).toEqual(
          [PAYLOAD_HEADER_BYTES, ...starts].slice(0, frames.length),
        );
      }),
    );
  });

  it('has an index within the bound that the packer counts with', () => {
    fc.assert(
      fc.property(payloadFrames, (frames) => {
        const counts = frames.map(({ chunks }) => ({ chunks: chunks.length }));
        const bound = payloadIndexBytes(counts);
        const used = finishPayload(
          new Uint8Array(PAYLOAD_HEADER_BYTES + storedBytes(frames) + bound),
          frames,
        );
        expect(used - PAYLOAD_HEADER_BYTES - storedBytes(frames)).toBeLessThanOrEqual(bound);
        const chunks = counts.reduce((sum, frame) => sum + frame.chunks, 0);
        expect(bound).toBe(
          PAYLOAD_INDEX_BASE_BYTES +
            counts.length * PAYLOAD_INDEX_FRAME_BYTES +
            chunks * PAYLOAD_INDEX_CHUNK_BYTES,
        );
      }),
    );
  });

  it('refuses hostile bytes', () => {
    const encode = (frames: PayloadFrame[], length: number, original: Uint8Array) => {
      const again = Uint8Array.from(original.subarray(0, length));
      finishPayload(again, frames);
      return again;
    };
    checkHostileInput(
      payloadFrames.map((frames) => build(frames, 8)),
      (payload) => ({ frames: readPayload(payload).frames, payload }),
      ({ frames, payload }) => encode(frames, payload.length, payload),
      3000,
    );
  });

  it('works in shared memory', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(4096), 100, 1000);
    const used = finishPayload(shared, [raw(10)]);
    expect(readPayload(shared)).toEqual({ used, frames: [{ ...raw(10), start: PAYLOAD_HEADER_BYTES }] });
  });

  it.each<[string, PayloadFrame[]]>([
    ['a chunk twice', [raw(10, 1), raw(10, 1)]],
    ['chunks that do not add up', [{ ...raw(10), rawLength: 11, storedLength: 11 }]],
    ['a raw frame of two lengths', [{ ...raw(10), storedLength: 9 }]],
    ['a frame without chunks', [{ codec: 0, rawLength: 0, storedLength: 0, chunks: [] }]],
    ['an empty stored frame', [{ ...raw(10), codec: 1, storedLength: 0 }]],
    ['a frame that expands too far', [{ ...raw(MAX_FRAME_RAW_BYTES + 1), codec: 1, storedLength: 10 }]],
    ['more than its capacity', [raw(2000)]],
  ])('is not written with %s', (_name, frames) => {
    expect(() => finishPayload(new Uint8Array(1000), frames)).toThrow(
      expect.objectContaining({ code: 'INTERNAL' }),
    );
  });

  it.each<[string, number, number, string]>([
    ['another magic', 0, 0x49, 'FORMAT_INVALID'],
    ['another version', 4, 2, 'FORMAT_VERSION'],
    ['a reserved byte', 7, 1, 'FORMAT_INVALID'],
    ['more frame bytes than there are', 8, 0xff, 'FORMAT_INVALID'],
    ['more index bytes than there are', 12, 0xff, 'FORMAT_INVALID'],
    ['another number of frames', 19, 2, 'FORMAT_INVALID'],
    ['another number of chunks', 23, 2, 'FORMAT_INVALID'],
    ['a reserved byte at the end', 31, 1, 'FORMAT_INVALID'],
    ['something in the padding', 999, 1, 'FORMAT_INVALID'],
  ])('is refused with %s', (_name, at, byte, code) => {
    const payload = new Uint8Array(1000);
    finishPayload(payload, [raw(10)]);
    payload[at] = byte;
    expect(() => readPayload(payload)).toThrow(expect.objectContaining({ code }));
  });
});

describe('journalled frames', () => {
  it('are what was journalled', () => {
    fc.assert(
      fc.property(journalFrames, (frames) => {
        expect(decodeJournalFrames(encodeJournalFrames(frames))).toEqual(frames);
      }),
    );
  });

  it('refuse hostile bytes', () => {
    checkHostileInput(journalFrames.map(encodeJournalFrames), decodeJournalFrames, encodeJournalFrames);
    fc.assert(
      fc.property(bytes(3), (odd) => {
        expect(() => decodeJournalFrames(Buffer.concat([Uint8Array.of(0x81, 0x82, 0, 0x43), odd]))).toThrow(
          /is not a/,
        );
      }),
      { numRuns: 5 },
    );
  });
});

import { randomBytes } from 'node:crypto';
import { BufferGarbage, MiB } from '@holdfast/contracts';
import { expect, it } from 'vitest';
import { decodeFrame, encodeFrame } from '../src/sealing/frame-codec.ts';

const text = Buffer.from('a row of a table, much like the next one; '.repeat(20_000)).subarray(0, 700_000);

it.each([
  ['text', text, 1],
  ['noise', randomBytes(300_000), 0],
  ['one byte', Buffer.from([1]), 0],
] as const)('takes %s there and back', (_, raw, codec) => {
  const encoded = encodeFrame(raw, 1);
  expect(encoded.codec).toBe(codec);
  expect(Buffer.compare(decodeFrame(encoded.bytes, codec, raw.length, 'it'), raw)).toBe(0);
});

it('refuses a frame that does not give the bytes it should', () => {
  const { bytes } = encodeFrame(text, 1);
  for (const wrong of [text.length - 1, text.length + 1])
    expect(() => decodeFrame(bytes, 1, wrong, 'it')).toThrow(/it: /);
  expect(() => decodeFrame(bytes.subarray(1), 1, text.length, 'it')).toThrow(/does not decompress/);
  expect(() => decodeFrame(text, 0, text.length + 1, 'it')).toThrow(/a raw frame/);
});

/** Node keeps the output buffer of a one-shot call until the next whole collection, unless it is taken away. */
it('leaves no buffers behind', () => {
  const garbage = new BufferGarbage();
  const encoded = encodeFrame(text, 1);
  const before = process.memoryUsage().arrayBuffers;
  let peak = 0;
  for (let i = 0; i < 300; i++) {
    encodeFrame(text, 1);
    decodeFrame(encoded.bytes, 1, text.length, 'it');
    garbage.note(2 * text.length);
    peak = Math.max(peak, process.memoryUsage().arrayBuffers - before);
  }
  expect(peak).toBeLessThan(16 * MiB);
});

import { createCipheriv } from 'node:crypto';
import { logText } from '../../tools/demo/chat-text.ts';
import { SeededRandom } from '../../tools/demo/random.ts';

const BLOCK = 2 ** 20;

/**
 * A long stream of which no two blocks are alike: half of each is noise, half text that compresses, as in a dump of a
 * database with attachments. Made on the fly, so that memory and disk hold no copy; the same for the same seed.
 */
export function* byteStream(bytes: number, seed: number): Generator<Buffer> {
  const random = new SeededRandom(seed);
  const text = Buffer.from(logText(random, 40_000));
  const key = Buffer.alloc(16);
  for (let i = 0; i < 16; i += 4) key.writeUInt32LE(random.next(), i);
  const noise = createCipheriv('aes-128-ctr', key, Buffer.alloc(16));
  const zeros = Buffer.alloc(BLOCK / 2);
  for (let made = 0; made < bytes; made += BLOCK) {
    const at = random.below(text.length - BLOCK / 2);
    const block = Buffer.concat([noise.update(zeros), text.subarray(at, at + BLOCK / 2)]);
    yield block.subarray(0, Math.min(BLOCK, bytes - made));
  }
}

import { zstdCompressSync } from 'node:zlib';
import { displayPath, isSafePath, peerIdFromKey, peerIdToKey } from '@holdfast/contracts';
import { encodeJournalFrames, encodeStripe } from '@holdfast/formats';
import {
  storedFrames,
  storedPolicy,
  storedRelaxations,
  storedStripe,
  storedTags,
} from '../../../../packages/catalog/src/tables/stored.ts';
import { decodeFrame } from '../../../../packages/engine/src/sealing/frame-codec.ts';
import { journalFrames, stripe } from '../../../../packages/formats/test/format-arbitraries.ts';
import { parseShardFileName, shardFileName } from '../../../../packages/node/src/store/shard-file-name.ts';
import { decoder, RECORDS, SMALL, type Target, Violation } from '../target.ts';
import { asBuffer, samples } from './samples.ts';

const FRAME_HEAD_BYTES = 4;
const CONTENT = Buffer.from('The same words, over and over. '.repeat(90));
const PEER = peerIdFromKey(Buffer.alloc(32, 7));

/** What lies on disks, the owner's and the peers', and is read by code of ours. */
export const storedTargets: readonly Target[] = [
  {
    name: 'frame',
    seeds: () => [
      frameOf(0, CONTENT),
      frameOf(1, zstdCompressSync(CONTENT)),
      frameOf(1, zstdCompressSync(Buffer.alloc(2 ** 20)), 2 ** 20),
    ],
    refusals: ['FORMAT_INVALID'],
    attempt(input) {
      const { codec, rawLength } = frameHead(input);
      return decodeFrame(input.subarray(FRAME_HEAD_BYTES), codec, rawLength, 'The frame');
    },
    confirm(raw: Uint8Array, input) {
      if (raw.length !== frameHead(input).rawLength)
        throw new Violation('A frame has another length than asked for.');
    },
    // The length asked for is in the index of the payload, 16 MiB at most; here up to 2^24 as well.
    allocation: { base: 3 * 2 ** 24, perByte: 100 },
  },
  {
    name: 'catalog-values',
    seeds: () => [
      ...samples(stripe, 8).map((value) => Buffer.concat([Uint8Array.of(0), encodeStripe(value)])),
      ...samples(journalFrames, 8).map((value) =>
        Buffer.concat([Uint8Array.of(1), encodeJournalFrames(value)]),
      ),
      Buffer.from('\u0002["daily","täglich"]'),
      Buffer.from('\u0003[["region","too few regions"],["load","full"]]'),
      Buffer.from('\u0004{"version":1,"mode":"random","settings":{"maxLoad":0.7,"off":["load"],"x":true}}'),
    ],
    refusals: ['CATALOG_CORRUPT'],
    attempt(input) {
      const value = input.subarray(1);
      if (input[0] === 0) return storedStripe(value);
      if (input[0] === 1) return storedFrames(value);
      const text = asBuffer(value).toString('utf8');
      if (input[0] === 3) return storedRelaxations(text);
      return input[0] === 4 ? storedPolicy(text) : storedTags(text);
    },
    allocation: RECORDS,
  },
  decoder({
    name: 'shard-file-name',
    text: true,
    seeds: () => [Buffer.from(`${'1a'.repeat(32)}.${'2b'.repeat(32)}.${PEER}.65536`)],
    decode: (input) => parseShardFileName(asBuffer(input).toString('latin1')),
    encode: (file, input) => (file === null ? input : Buffer.from(shardFileName(file), 'latin1')),
  }),
  decoder({
    name: 'peer-id',
    seeds: () => [1, 2, 255].map((byte) => Buffer.from(peerIdFromKey(Buffer.alloc(32, byte)))),
    decode: (input) => peerIdToKey(asBuffer(input).toString('latin1')),
    encode: (key, input) => (key === null ? input : Buffer.from(peerIdFromKey(key), 'latin1')),
  }),
  {
    name: 'path',
    seeds: () => ['docs/a', 'Größe/ü', '..', '.', '\u202e', '\u0000'].map((path) => Buffer.from(path)),
    refusals: [],
    attempt: (input) => ({ safe: isSafePath(input), shown: displayPath(input) }),
    confirm({ safe, shown }: { safe: boolean; shown: string }, input) {
      const parts = asBuffer(input).toString('latin1').split('/');
      const escapes = parts.some(
        (part) => part === '' || part === '.' || part === '..' || part.includes('\0'),
      );
      if (safe === escapes) throw new Violation(`It is${safe ? '' : ' not'} taken for safe.`);
      if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(shown)) throw new Violation('A terminal would obey it.');
    },
    allocation: SMALL,
  },
];

/** The codec and the length, as the payload's index would say, then the frame as stored. */
function frameOf(codec: number, stored: Uint8Array, rawLength = CONTENT.length): Uint8Array {
  const head = Buffer.alloc(FRAME_HEAD_BYTES);
  head.writeUInt32BE(codec * 2 ** 24 + rawLength);
  return Buffer.concat([head, stored]);
}

function frameHead(input: Uint8Array): { codec: number; rawLength: number } {
  const [codec = 0, a = 0, b = 0, c = 0] = input;
  return { codec: codec & 1, rawLength: a * 65_536 + b * 256 + c };
}

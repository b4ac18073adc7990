import {
  decodeCanonical,
  decodeJournalFrames,
  decodeStripe,
  decodeSwarmView,
  encodeCanonical,
  encodeExtents,
  encodeJournalFrames,
  encodeObject,
  encodeStripe,
  encodeSwarmView,
  finishPayload,
  type MetadataRecord,
  metadataReader,
  PAYLOAD_HEADER_BYTES,
  type PayloadFrame,
  payloadIndexBytes,
  type RecordReader,
  readPayload,
  stripeReader,
} from '@holdfast/formats';
import { cborValue } from '../../../../packages/formats/test/arbitraries.ts';
import {
  journalFrames,
  objectWithExtents,
  payloadFrames,
  stripe,
  swarmView,
} from '../../../../packages/formats/test/format-arbitraries.ts';
import { decoder, RECORDS, type Target } from '../target.ts';
import { asBuffer, samples } from './samples.ts';

/** What a payload and its metadata consist of. */
export const contentTargets: readonly Target[] = [
  decoder({
    name: 'cbor',
    seeds: () => samples(cborValue, 60).map(encodeCanonical),
    decode: (input) => decodeCanonical(input, { what: 'the input', maxBytes: 1 << 20 }),
    encode: encodeCanonical,
  }),
  decoder({
    name: 'payload',
    seeds: () => samples(payloadFrames).map(payloadOf),
    decode: readPayload,
    encode({ frames }, input) {
      finishPayload(input, frames);
      return input;
    },
    repair: fitIndex,
  }),
  decoder({
    name: 'journal-frames',
    seeds: () => samples(journalFrames).map(encodeJournalFrames),
    decode: decodeJournalFrames,
    encode: encodeJournalFrames,
  }),
  decoder({
    name: 'swarm-view',
    allocation: RECORDS,
    seeds: () => samples(swarmView).map(encodeSwarmView),
    decode: decodeSwarmView,
    encode: encodeSwarmView,
  }),
  decoder({
    name: 'stripe',
    allocation: RECORDS,
    seeds: () => samples(stripe).map(encodeStripe),
    decode: decodeStripe,
    encode: encodeStripe,
    repair: fitLength,
  }),
  decoder({
    name: 'stripes',
    allocation: RECORDS,
    seeds: () =>
      [0, 8, 16].map((i) =>
        Buffer.concat(
          samples(stripe)
            .slice(i, i + 3)
            .map(encodeStripe),
        ),
      ),
    decode: (input) => readInPieces(stripeReader(), input),
    encode: (stripes) => Buffer.concat(stripes.map(encodeStripe)),
  }),
  decoder({
    name: 'objects',
    allocation: RECORDS,
    seeds: () =>
      samples(objectWithExtents, 40).map(({ object, lists }) =>
        Buffer.concat([encodeObject(object), ...lists.map(encodeExtents)]),
      ),
    decode: (input) => readInPieces(metadataReader(), input),
    encode: (records) => Buffer.concat(records.map(encodeRecord)),
    repair: fitLength,
  }),
];

function payloadOf(frames: readonly PayloadFrame[]): Uint8Array {
  const stored = frames.reduce((sum, { storedLength }) => sum + storedLength, 0);
  const index = payloadIndexBytes(frames.map(({ chunks }) => ({ chunks: chunks.length })));
  const payload = new Uint8Array(PAYLOAD_HEADER_BYTES + stored + index + 20);
  finishPayload(payload, frames);
  return payload;
}

/** The index then reaches to the last byte that is not padding. */
function fitIndex(input: Uint8Array): Uint8Array {
  const used = input.findLastIndex((byte) => byte !== 0) + 1;
  const view = asBuffer(input);
  if (used > PAYLOAD_HEADER_BYTES)
    view.writeUInt32BE(Math.max(0, used - PAYLOAD_HEADER_BYTES - view.readUInt32BE(8)), 12);
  return input;
}

/** One record that takes all there is. */
function fitLength(input: Uint8Array): Uint8Array {
  const start = input.findIndex((byte) => byte < 0x80) + 1;
  const length = input.length - start;
  const prefix: number[] = [];
  for (let rest = length; ; rest >>>= 7) {
    prefix.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest);
    if (rest <= 0x7f) break;
  }
  return Buffer.concat([Uint8Array.from(prefix), input.subarray(start)]);
}

/** Cut where the input itself decides. */
function readInPieces<T>(reader: RecordReader<T>, input: Uint8Array): T[] {
  const cut = input.length === 0 ? 0 : (input[input.length >> 1]! * 257) % input.length;
  return [...reader.push(input.subarray(0, cut)), ...reader.push(input.subarray(cut)), ...reader.end()];
}

const encodeRecord = (record: MetadataRecord): Uint8Array =>
  record.type === 'object' ? encodeObject(record.object) : encodeExtents(record.extents);

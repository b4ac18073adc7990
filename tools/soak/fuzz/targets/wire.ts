import { type Hash, HoldfastError, type ShardId } from '@holdfast/contracts';
import { type CborValue, encodeCanonical } from '@holdfast/formats';
import {
  decodeFlag,
  decodeHave,
  decodeHeader,
  decodeHeadSequence,
  decodeHello,
  decodeLease,
  decodeList,
  decodeRequest,
  decodeResponse,
  decodeStatus,
  encodeError,
  encodeFrameHead,
  encodeHave,
  encodeHello,
  encodeLease,
  encodeList,
  encodeOk,
  encodeRequest,
  encodeStatus,
  FrameReader,
  PREFIX_BYTES,
  type Request,
} from '@holdfast/formats/wire';
import { decoder, type Target, Violation } from '../target.ts';
import { asBuffer } from './samples.ts';

const ID = '1a'.repeat(32) as ShardId;
const HASH = '2b'.repeat(32) as Hash;
const FOUND = { hash: HASH, bytes: 65_536, leaseUntil: 1_900_000_000_000 };

const REQUESTS: readonly Request[] = [
  { type: 'put', id: ID, hash: HASH, leaseUntil: 1_900_000_000_000 },
  { type: 'get', id: ID, offset: 0, length: null },
  { type: 'get', id: ID, offset: 4096, length: 100 },
  { type: 'have', ids: [ID, ID] },
  { type: 'delete', id: ID },
  { type: 'lease', ids: [ID], until: 5 },
  { type: 'list', after: null, limit: 500 },
  { type: 'list', after: ID, limit: 1 },
  { type: 'status' },
  { type: 'head-put', sequence: 7 },
  { type: 'head-get' },
];
const STATUS = {
  version: 'holdfast 0.1.0',
  capacityBytes: 2 ** 40,
  usedBytes: 1,
  ownerQuotaBytes: 2 ** 32,
  ownerUsedBytes: 0,
  ownerShards: 3,
  startedAt: 1_800_000_000_000,
};
const HEADERS: readonly CborValue[] = [
  ...REQUESTS.map((request, i) => encodeRequest({ requestId: i + 1, request })),
  encodeHello({ program: 'holdfast 0.1.0', maxInFlight: 8 }),
  encodeOk(1, null),
  encodeOk(2, encodeStatus(STATUS)),
  encodeError(3, new HoldfastError('PEER_BUSY', 'Später.')),
];

/** By the first byte of an input: which result, and how it is written again. Two items were asked for. */
const RESULTS: readonly [example: CborValue, again: (value: CborValue) => CborValue][] = [
  [encodeHave([FOUND, null]), (value) => encodeHave(decodeHave(value, 2))],
  [encodeLease([true, false]), (value) => encodeLease(decodeLease(value, 2))],
  [encodeList([{ id: ID, ...FOUND }]), (value) => encodeList(decodeList(value))],
  [encodeStatus(STATUS), (value) => encodeStatus(decodeStatus(value))],
  [true, decodeFlag],
  [7, decodeHeadSequence],
  [null, decodeHeadSequence],
];
const refusals = ['PEER_PROTOCOL', 'FORMAT_VERSION'] as const;

export const wireTargets: readonly Target[] = [
  decoder({
    name: 'wire-frames',
    seeds: () => HEADERS.map((header, i) => frameOf(header, Buffer.alloc(i, i))),
    decode: readFrames,
    encode: (frames, input) =>
      Buffer.concat([
        ...frames.complete.map(({ header, body }) => frameOf(header, body)),
        input.subarray(input.length - frames.rest),
      ]),
    refusals,
    // A header of 64 KiB and a body of 1 MiB may be announced, and only the header gets room in advance.
    allocation: { base: 512 * 1024, perByte: 600 },
    repair: fitFrame,
  }),
  decoder({
    name: 'wire-request',
    seeds: () => HEADERS.map(encodeCanonical),
    decode: (input) => decodeRequest(decodeHeader(input), 0),
    encode: (request) => encodeCanonical(encodeRequest(request)),
    refusals,
  }),
  decoder({
    name: 'wire-response',
    seeds: () => HEADERS.map(encodeCanonical),
    decode: (input) => decodeResponse(decodeHeader(input)),
    encode(response, input) {
      if (response.ok) return encodeCanonical(encodeOk(response.requestId, response.result));
      if (/\p{C}/u.test(response.message))
        throw new Violation('A peer can put control characters on a terminal.');
      return input;
    },
    refusals,
  }),
  decoder({
    name: 'wire-hello',
    seeds: () => HEADERS.map(encodeCanonical),
    decode: (input) => decodeHello(decodeHeader(input)),
    encode: (hello) => encodeCanonical(encodeHello(hello)),
    refusals,
  }),
  decoder({
    name: 'wire-results',
    seeds: () => RESULTS.map(([example], i) => Buffer.concat([Uint8Array.of(i), encodeCanonical(example)])),
    decode(input) {
      const [, again] = RESULTS[(input[0] ?? 0) % RESULTS.length]!;
      return again(decodeHeader(input.subarray(1)));
    },
    encode: (value, input) => Buffer.concat([input.subarray(0, 1), encodeCanonical(value)]),
    refusals,
  }),
];

interface Frame {
  readonly header: CborValue;
  readonly body: Uint8Array;
}

const frameOf = (header: CborValue, body: Uint8Array): Uint8Array =>
  Buffer.concat([encodeFrameHead(header, body.length), body]);

/** Cut where the input decides; a body gets a destination, and nothing may be written behind it. */
function readFrames(input: Uint8Array): { complete: Frame[]; rest: number } {
  const complete: Frame[] = [];
  let rest = input.length;
  const reader = new FrameReader({
    header: (_, bodyLength) => (bodyLength <= input.length ? new Uint8Array(bodyLength + 8) : 'discard'),
    frame(header, body) {
      const bytes = body ?? new Uint8Array(0);
      if (body && new Uint8Array(body.buffer).subarray(body.length).some((byte) => byte !== 0))
        throw new Violation('It writes behind the end of a body.');
      complete.push({ header, body: bytes });
      rest -= encodeFrameHead(header, bytes.length).length + bytes.length;
    },
  });
  const cut = input.length === 0 ? 0 : (input[input.length >> 1]! * 257) % input.length;
  for (const piece of [input.subarray(0, cut), input.subarray(cut)]) reader.push(Buffer.from(piece));
  if (reader.midFrame !== rest > 0) throw new Violation('It does not know whether a frame has begun.');
  return { complete, rest };
}

/** The header then ends where the announced body begins. */
function fitFrame(input: Uint8Array): Uint8Array {
  const view = asBuffer(input);
  if (view.length < PREFIX_BYTES) return input;
  const header = view.length - PREFIX_BYTES - view.readUInt32BE(4);
  if (header > 0) view.writeUInt32BE(header, 0);
  return input;
}

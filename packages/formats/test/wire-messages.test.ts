import {
  type Hash,
  type HaveResult,
  HoldfastError,
  type PeerId,
  type PeerStatus,
  type ShardId,
  toHex,
} from '@holdfast/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CborValue, encodeCanonical } from '../src/index.ts';
import * as wire from '../src/wire/index.ts';

const hex32 = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toHex);
const shardId = hex32.map((text) => text as ShardId);
const hash = hex32.map((text) => text as Hash);
const uint = fc.maxSafeNat();
const shardIds = fc.array(shardId, { maxLength: 20 });
const have: fc.Arbitrary<HaveResult> = fc.record({ hash, bytes: uint, leaseUntil: uint });

const request: fc.Arbitrary<wire.Request> = fc.oneof(
  fc.record({ type: fc.constant('put' as const), id: shardId, hash, leaseUntil: uint }),
  fc.record({ type: fc.constant('get' as const), id: shardId, offset: uint, length: fc.option(uint) }),
  fc.record({ type: fc.constant('have' as const), ids: shardIds }),
  fc.record({ type: fc.constant('delete' as const), id: shardId }),
  fc.record({ type: fc.constant('lease' as const), ids: shardIds, until: uint }),
  fc.record({
    type: fc.constant('list' as const),
    after: fc.option(shardId),
    limit: fc.nat({ max: wire.MAX_LIST }),
  }),
  fc.record({ type: fc.constant('status' as const) }),
  fc.record({ type: fc.constant('head-put' as const), sequence: uint }),
  fc.record({ type: fc.constant('head-get' as const) }),
  fc.record({
    type: fc.constant('get-parts' as const),
    id: shardId,
    range: fc.record({ offset: uint, length: uint, period: uint }),
  }),
);

const anyCbor: fc.Arbitrary<CborValue> = fc.letrec<{ value: CborValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constant(null),
    fc.boolean(),
    fc.nat({ max: 200 }),
    fc.maxSafeInteger(),
    fc.string(),
    fc.uint8Array({ maxLength: 40 }),
    fc.array(tie('value'), { maxLength: 5 }),
  ),
})).value;

describe('requests', () => {
  it('round trip', () => {
    fc.assert(
      fc.property(request, fc.nat({ max: wire.MAX_REQUEST_ID }), (original, requestId) => {
        const encoded = encodeCanonical(wire.encodeRequest({ requestId, request: original }));
        expect(wire.decodeRequest(wire.decodeHeader(encoded), 0)).toEqual({ requestId, request: original });
      }),
    );
  });

  it('fit into a header with the most ids allowed', () => {
    const ids = Array.from({ length: wire.MAX_IDS }, (_, i) => i.toString(16).padStart(64, '0') as ShardId);
    const last = Number.MAX_SAFE_INTEGER;
    const lease = wire.encodeRequest({
      requestId: wire.MAX_REQUEST_ID,
      request: { type: 'lease', ids, until: last },
    });
    wire.encodeFrameHead(lease, 0);
    const found = { hash: ids[1]! as unknown as Hash, bytes: last, leaseUntil: last };
    wire.encodeFrameHead(wire.encodeOk(wire.MAX_REQUEST_ID, wire.encodeHave(ids.map(() => found))), 0);
    const page = ids.slice(0, wire.MAX_LIST).map((id) => ({ id, ...found }));
    wire.encodeFrameHead(wire.encodeOk(wire.MAX_REQUEST_ID, wire.encodeList(page)), 0);
  });

  it('refuse a body where none belongs', () => {
    const status = wire.encodeRequest({ requestId: 1, request: { type: 'status' } });
    expect(() => wire.decodeRequest(status, 1)).toThrow(expect.objectContaining({ code: 'PEER_PROTOCOL' }));
    const head = wire.encodeRequest({ requestId: 1, request: { type: 'head-put', sequence: 1 } });
    expect(() => wire.decodeRequest(head, 256 * 1024 + 1)).toThrow(
      expect.objectContaining({ code: 'PEER_PROTOCOL' }),
    );
  });

  it('have the bytes that the specification shows', () => {
    const id = '11'.repeat(32) as ShardId;
    const frame = wire.encodeFrameHead(
      wire.encodeRequest({ requestId: 7, request: { type: 'get', id, offset: 0, length: null } }),
      0,
    );
    expect(toHex(frame)).toBe(`0000002700000000850207${`5820${'11'.repeat(32)}`}00f6`);
    expect(toHex(encodeCanonical(wire.encodeHello({ program: 'holdfast 0.1.0', maxInFlight: 8 })))).toBe(
      '8400016e686f6c646661737420302e312e3008',
    );
  });
});

describe('responses', () => {
  it('round trip', () => {
    fc.assert(
      fc.property(anyCbor, fc.nat({ max: wire.MAX_REQUEST_ID }), (result, requestId) => {
        const decoded = wire.decodeResponse(
          wire.decodeHeader(encodeCanonical(wire.encodeOk(requestId, result))),
        );
        expect(decoded).toEqual({ requestId, ok: true, result });
      }),
    );
    for (const code of wire.PEER_ANSWERS) {
      const encoded = wire.encodeError(3, new HoldfastError(code, 'why'));
      expect(wire.decodeResponse(encoded)).toEqual({ requestId: 3, ok: false, code, message: 'why' });
    }
  });

  it('round trip results', () => {
    fc.assert(
      fc.property(
        fc.array(fc.option(have), { maxLength: 9 }),
        fc.array(fc.boolean(), { maxLength: 9 }),
        (found, flags) => {
          expect(wire.decodeHave(wire.encodeHave(found), found.length)).toEqual(found);
          expect(wire.decodeLease(wire.encodeLease(flags), flags.length)).toEqual(flags);
        },
      ),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(shardId, have), { maxLength: 9 }), (items) => {
        const listed = items.map(([id, rest]) => ({ id, ...rest }));
        expect(wire.decodeList(wire.encodeList(listed))).toEqual(listed);
      }),
    );
    const status: PeerStatus = {
      id: 'x' as PeerId,
      version: '1',
      capacityBytes: 1,
      usedBytes: 2,
      ownerQuotaBytes: 3,
      ownerUsedBytes: 4,
      ownerShards: 5,
      startedAt: 6,
    };
    expect({ id: status.id, ...wire.decodeStatus(wire.encodeStatus(status)) }).toEqual(status);
    expect(wire.decodePutResult(wire.encodePutResult('present'))).toBe('present');
    expect(wire.decodePutResult(wire.encodePutResult('stored'))).toBe('stored');
    expect(wire.decodeHeadSequence(null)).toBe(null);
    expect(wire.decodeHeadSequence(8)).toBe(8);
  });

  it('tell others nothing about internal failures, and bound what they tell', () => {
    expect(wire.decodeResponse(wire.encodeError(1, new Error('/secret/path')))).toMatchObject({
      code: 'PEER_FAILED',
    });
    expect(JSON.stringify(wire.encodeError(1, new HoldfastError('KEY_WRONG', 'secret')))).not.toContain(
      'secret',
    );
    const long = wire.encodeError(1, new HoldfastError('PEER_BUSY', '\u{1f600}'.repeat(1000)));
    expect(wire.decodeResponse(wire.decodeHeader(encodeCanonical(long)))).toMatchObject({
      code: 'PEER_BUSY',
    });
  });

  it('map unknown error codes to PEER_PROTOCOL and take control characters out of texts', () => {
    expect(wire.decodeResponse([129, 1, 'KEY_WRONG', 'a\u001b[31mb'])).toEqual({
      requestId: 1,
      ok: false,
      code: 'PEER_PROTOCOL',
      message: 'Unknown error KEY_WRONG: a?[31mb',
    });
  });
});

describe('HELLO', () => {
  it('round trips', () => {
    const hello = { program: 'holdfast 0.1.0', maxInFlight: 8 };
    expect(wire.decodeHello(wire.encodeHello(hello))).toEqual(hello);
  });

  it('names an unknown version whatever follows it', () => {
    for (const header of [
      [0, 2],
      [0, 2, { future: true }, null],
    ]) {
      expect(() => wire.decodeHello(header as CborValue)).toThrow(
        expect.objectContaining({ code: 'FORMAT_VERSION' }),
      );
    }
    expect(() => wire.decodeHello([1, 1])).toThrow(expect.objectContaining({ code: 'PEER_PROTOCOL' }));
  });
});

describe('decoders', () => {
  const decoders: Record<string, (value: CborValue) => unknown> = {
    request: (value) => wire.decodeRequest(value, 0),
    response: wire.decodeResponse,
    hello: wire.decodeHello,
    put: wire.decodePutResult,
    have: (value) => wire.decodeHave(value, 2),
    lease: (value) => wire.decodeLease(value, 2),
    list: wire.decodeList,
    status: wire.decodeStatus,
    head: wire.decodeHeadSequence,
  };

  for (const [name, decode] of Object.entries(decoders)) {
    it(`answer any value with PEER_PROTOCOL or accept it: ${name}`, () => {
      const near = fc.oneof(
        anyCbor,
        fc.tuple(fc.nat({ max: 130 }), fc.nat(), anyCbor, anyCbor, anyCbor),
        fc.array(anyCbor),
      );
      fc.assert(
        fc.property(near, (value) => {
          try {
            decode(value as CborValue);
          } catch (error) {
            expect(HoldfastError.is(error, 'PEER_PROTOCOL', 'FORMAT_VERSION')).toBe(true);
          }
        }),
        { numRuns: 300 },
      );
    });
  }

  it('answer any bytes with PEER_PROTOCOL', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          wire.decodeHeader(bytes);
        } catch (error) {
          expect(HoldfastError.is(error, 'PEER_PROTOCOL')).toBe(true);
        }
      }),
    );
  });
});

import { type ErrorCode, HoldfastError } from '@holdfast/contracts';
import type { CborValue } from '../cbor.ts';
import { Fields } from './fields.ts';
import { MAX_REQUEST_ID, MAX_TEXT } from './limits.ts';

const OK = 128;
const ERROR = 129;

/** Request ids start at 1: an error under this id is about the connection as a whole, which then ends. */
export const CONNECTION = 0;

/** Codes that make sense as a peer's answer. Another one from the wire becomes PEER_PROTOCOL. */
export const PEER_ANSWERS = [
  'PEER_QUOTA',
  'PEER_DISK_FULL',
  'PEER_NOT_OWNER',
  'PEER_NO_SHARD',
  'PEER_SHARD_CORRUPT',
  'PEER_SHARD_CONFLICT',
  'PEER_HEAD_STALE',
  'PEER_BUSY',
  'PEER_PROTOCOL',
  'PEER_FAILED',
  'PEER_UNTRUSTED',
  'HASH_MISMATCH',
  'FORMAT_INVALID',
  'FORMAT_VERSION',
] as const satisfies readonly ErrorCode[];
export type PeerAnswer = (typeof PEER_ANSWERS)[number];

const isPeerAnswer = (code: string): code is PeerAnswer => (PEER_ANSWERS as readonly string[]).includes(code);

export type Response =
  | { readonly requestId: number; readonly ok: true; readonly result: CborValue }
  | { readonly requestId: number; readonly ok: false; readonly code: PeerAnswer; readonly message: string };

export const encodeOk = (requestId: number, result: CborValue): CborValue => [OK, requestId, result];

/** What went wrong, as far as the other side may know it: anything that is not a peer's answer is PEER_FAILED. */
export function encodeError(requestId: number, error: unknown): CborValue {
  const known = error instanceof HoldfastError && isPeerAnswer(error.code) ? error : null;
  const code = known?.code ?? 'PEER_FAILED';
  const message = (known?.message ?? 'The peer failed internally')
    .toWellFormed()
    .slice(0, MAX_TEXT)
    .toWellFormed();
  return [ERROR, requestId, code, message];
}

/** PEER_PROTOCOL for anything but a response. The result's own shape is for `decodeResult` to check. */
export function decodeResponse(header: CborValue): Response {
  const fields = new Fields(header, 'A response');
  const kind = fields.uint('type');
  const requestId = fields.uint('request id', MAX_REQUEST_ID);
  if (kind === OK) {
    const result = fields.any();
    fields.end();
    return { requestId, ok: true, result };
  }
  if (kind !== ERROR) throw new HoldfastError('PEER_PROTOCOL', 'A response of an unknown type');
  const code = fields.text('code', MAX_TEXT);
  const message = printable(fields.text('message', MAX_TEXT));
  fields.end();
  return isPeerAnswer(code)
    ? { requestId, ok: false, code, message }
    : {
        requestId,
        ok: false,
        code: 'PEER_PROTOCOL',
        message: `Unknown error ${printable(code)}: ${message}`,
      };
}

/** Peers' texts end up on terminals: control characters must not get there. */
const printable = (text: string): string => text.replace(/\p{C}/gu, '?');

import { HoldfastError } from '@holdfast/contracts';
import type { CborValue } from '../cbor.ts';
import { Fields } from './fields.ts';
import { MAX_TEXT, WIRE_VERSION } from './limits.ts';

export const HELLO = 0;

/** The first frame of each side, without a body. Until it has come nothing else may be sent or believed. */
export interface Hello {
  /** Name and version of the program, for logs. */
  readonly program: string;
  /** Requests that this side is willing to work on at a time; it reads no further while there are more. */
  readonly maxInFlight: number;
}

const MAX_IN_FLIGHT = 65_535;

export const encodeHello = (hello: Hello): CborValue => [
  HELLO,
  WIRE_VERSION,
  hello.program,
  hello.maxInFlight,
];

/**
 * FORMAT_VERSION when the other side speaks another version: known before anything else of the message is looked at,
 * since the rest may then look different. PEER_PROTOCOL when it is no HELLO.
 */
export function decodeHello(header: CborValue): Hello {
  const fields = new Fields(header, 'HELLO');
  if (fields.uint('type') !== HELLO) throw new HoldfastError('PEER_PROTOCOL', 'The first frame is not HELLO');
  const version = fields.uint('version');
  if (version !== WIRE_VERSION) {
    throw new HoldfastError(
      'FORMAT_VERSION',
      `The other side speaks version ${version} of the shard protocol, this program ${WIRE_VERSION}`,
      { hint: 'Bring both sides to the same release.' },
    );
  }
  const hello = {
    program: fields.text('program', MAX_TEXT),
    maxInFlight: fields.uint('limit', MAX_IN_FLIGHT),
  };
  fields.end();
  if (hello.maxInFlight === 0) throw new HoldfastError('PEER_PROTOCOL', 'HELLO allows no requests');
  return hello;
}

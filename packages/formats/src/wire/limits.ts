import { KiB, MiB } from '@holdfast/contracts';

/** The ALPN name fixes the framing; HELLO's version fixes the messages. */
export const WIRE_PROTOCOL = 'holdfast/1';
export const WIRE_VERSION = 1;

export const PREFIX_BYTES = 8;
export const MAX_HEADER_BYTES = 64 * KiB;
export const MAX_BODY_BYTES = MiB;

/** Most shard ids in one HAVE or LEASE, and most shards in one LIST answer: both sides fit into one header. */
export const MAX_IDS = 1000;
export const MAX_LIST = 500;

export const MAX_REQUEST_ID = 0xffff_ffff;
/** UTF-16 units of an error's message and of a program's name; longer ones are refused. */
export const MAX_TEXT = 512;

import { createHash } from 'node:crypto';
import { type PartitionId, type PeerId, uuidToBytes } from '@holdfast/contracts';

const DOMAIN = 'holdfast/transfer/v1';

/**
 * Names one transfer of one shard, so that a receipt for it stands for no other: 64 hex digits of
 *
 *     SHA-256(domain ‖ 00 ‖ partition (16 bytes) ‖ index (u32) ‖ ⟨from⟩ ‖ ⟨to⟩ ‖ ⟨hash⟩)
 *
 * with ⟨text⟩ = length in bytes (u32) ‖ UTF-8, numbers big-endian. All lengths are fixed or written down: different
 * transfers never give the same bytes.
 */
export function transferHash(transfer: {
  readonly partition: PartitionId;
  readonly index: number;
  /** Null: made again from other shards. Framed as the empty text. */
  readonly from: PeerId | null;
  readonly to: PeerId;
  readonly hash: string;
}): string {
  const { partition, index, from, to, hash } = transfer;
  return createHash('sha256')
    .update(`${DOMAIN}\0`)
    .update(uuidToBytes(partition))
    .update(uint32(index))
    .update(framed(from ?? ''))
    .update(framed(to))
    .update(framed(hash))
    .digest('hex');
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

function framed(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'utf8');
  return Buffer.concat([uint32(bytes.length), bytes]);
}

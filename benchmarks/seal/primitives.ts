import { createCipheriv, createDecipheriv } from 'node:crypto';
import { BufferGarbage, SHARD_BYTES } from '@holdfast/contracts';
import { Blake3Stream, payloadCapacity } from '@holdfast/crypto';
import { StripeArena } from '@holdfast/erasure';
import type { Contender } from '../harness/alternation.ts';
import { fillNoise } from '../harness/noise.ts';
import type { Shape } from './sealing-pass.ts';

/** The fastest of 16 to 512 KiB for all three, by little from 128 on. Stays in the second-level cache. */
const PIECE_BYTES = 512 * 1024;
const KEY = new Uint8Array(32).fill(7);
const ZEROS = new Uint8Array(16);
/** Ciphers give every result in a fresh buffer, there is no other way in Node. Those are collected as a worker does. */
const garbage = new BufferGarbage();
const piece = Buffer.alloc(PIECE_BYTES);
fillNoise(piece, 1);

/**
 * What cannot be left out, each alone and at its best: ciphers and hashes go over one piece that stays in the cache, as many
 * times as make the bytes of a stripe; the code runs in an arena of its own.
 */
export function sealingPrimitives(shape: Shape): Contender[] {
  const payload = payloadCapacity(shape.k, SHARD_BYTES);
  return [
    hashing('BLAKE3 of the payload', payload),
    ciphering('AES-256-CTR', payload, () => createCipheriv('aes-256-ctr', KEY, ZEROS)),
    hashing('BLAKE3 of the package', payload),
    ciphering('AES-256-GCM', payload, () => createCipheriv('aes-256-gcm', KEY, ZEROS)),
    coding('encode', shape, (arena) => arena.encode({ ...shape, bytes: SHARD_BYTES })),
    hashing('BLAKE3 of the shards', (shape.k + shape.m) * SHARD_BYTES),
  ];
}

/** The hashes of the shards are not among them: they are compared where shards arrive. */
export function openingPrimitives(shape: Shape): Contender[] {
  const payload = payloadCapacity(shape.k, SHARD_BYTES);
  return [
    ciphering('AES-256-GCM', payload, () => createDecipheriv('aes-256-gcm', KEY, ZEROS)),
    hashing('BLAKE3 of the package', payload),
    ciphering('AES-256-CTR', payload, () => createCipheriv('aes-256-ctr', KEY, ZEROS)),
    hashing('BLAKE3 of the payload', payload),
  ];
}

export function rebuildingPrimitive(shape: Shape, present: readonly number[]): Contender {
  const wanted = Array.from({ length: shape.k }, (_, i) => i).filter((i) => !present.includes(i));
  return coding('rebuild', shape, (arena) =>
    arena.reconstruct({ ...shape, bytes: SHARD_BYTES, present, wanted }),
  );
}

function hashing(name: string, bytes: number): Contender {
  return timed(name, () => {
    const hash = new Blake3Stream();
    inPieces(bytes, (part) => hash.update(part));
    hash.digest();
  });
}

function ciphering(
  name: string,
  bytes: number,
  create: () => { update(part: Uint8Array): unknown },
): Contender {
  return timed(name, () => {
    const cipher = create();
    inPieces(bytes, (part) => cipher.update(part));
    garbage.note(bytes);
  });
}

function coding(name: string, { k, m }: Shape, work: (arena: StripeArena) => void): Contender {
  const arena = StripeArena.create({ shards: k + m, shardBytes: SHARD_BYTES });
  for (let i = 0; i < k; i++) fillNoise(arena.shard(i), i);
  return timed(name, () => work(arena));
}

function inPieces(bytes: number, work: (part: Uint8Array) => void): void {
  for (let left = bytes; left > 0; left -= PIECE_BYTES) {
    work(left < PIECE_BYTES ? piece.subarray(0, left) : piece);
  }
}

function timed(name: string, work: () => void): Contender {
  return {
    name,
    run: async (times) => {
      const start = process.hrtime.bigint();
      for (let i = 0; i < times; i++) work();
      return Number(process.hrtime.bigint() - start);
    },
  };
}

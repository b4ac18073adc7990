import { inspect } from 'node:util';
import { HoldfastError, type PartitionId, type ShardId, toHex } from '@holdfast/contracts';
import { DOMAINS, type Domain, tagged } from './domains.ts';
import { hkdfExpand, hkdfExtract } from './hkdf.ts';
import { type PartitionKeys, SealingKeys, wipe } from './sealing-keys.ts';
import { HybridSigner, HybridVerifier } from './sign.ts';
import { HybridUnwrapper, HybridWrapper } from './wrap.ts';

export const ROOT_BYTES = 32;

/**
 * All keys of one vault, derived from its 32-byte root secret: docs/specs/keys.md. Keys handed out are fresh copies
 * that the caller owns; the rest is overwritten by `destroy`, after which every call fails.
 */
export class VaultKeys {
  /** Tells vaults apart without telling anything of the root: may be shown and logged. `xxxx-xxxx-xxxx-xxxx`. */
  readonly fingerprint: string;
  #master: Uint8Array | undefined;
  readonly #sealing: SealingKeys;
  #signer: HybridSigner | undefined;
  #unwrapper: HybridUnwrapper | undefined;

  private constructor(master: Uint8Array) {
    this.#master = master;
    this.fingerprint = toHex(this.#derive(DOMAINS.fingerprint).subarray(0, 8)).replace(
      /(?<=.)(?=(.{4})+$)/g,
      '-',
    );
    const sealing = this.#derive(DOMAINS.sealing);
    this.#sealing = SealingKeys.fromSecret(sealing);
    sealing.fill(0);
  }

  /** @param random gives that many fresh bytes from a cryptographic generator. */
  static generateRoot(random: (length: number) => Uint8Array): Uint8Array {
    const root = random(ROOT_BYTES);
    if (root.length !== ROOT_BYTES || root.every((byte) => byte === root[0])) {
      throw new HoldfastError(
        'INTERNAL',
        'The random generator does not work: refusing to make a key from it.',
      );
    }
    return root;
  }

  /** @param root 32 bytes, not kept. KEY_WRONG for another length. */
  static fromRoot(root: Uint8Array): VaultKeys {
    if (root.length !== ROOT_BYTES) {
      throw new HoldfastError(
        'KEY_WRONG',
        `A vault's root secret has ${ROOT_BYTES} bytes, not ${root.length}.`,
        {
          hint: 'Use the key file that `holdfast init` wrote, or the recovery phrase.',
        },
      );
    }
    return new VaultKeys(hkdfExtract(Buffer.from(DOMAINS.root, 'latin1'), root));
  }

  /** Keys chunk ids, so that equal content is found by its owner only. 32 bytes. */
  chunkIdKey(): Uint8Array {
    return this.#derive(DOMAINS.chunkIds);
  }

  /** Keys the hashes by which rows are compared from snapshot to snapshot, and added up for drills. 32 bytes. */
  rowKey(): Uint8Array {
    return this.#derive(DOMAINS.rows);
  }

  /** Chooses where content is cut, so that chunk lengths do not betray known files. 32 bytes. */
  chunkerKey(): Uint8Array {
    return this.#derive(DOMAINS.chunker);
  }

  /** AES-256-GCM key of the head's private part. */
  headKey(): Uint8Array {
    return this.#derive(DOMAINS.head);
  }

  /** Salts the rendezvous hashing of placements, so that nobody else can foretell which peers a shard goes to. 32 bytes. */
  placementSalt(): Uint8Array {
    return this.#derive(DOMAINS.placement);
  }

  shardId(epoch: number, partition: PartitionId, index: number): ShardId {
    return this.#sealing.shardId(epoch, partition, index);
  }

  partition(epoch: number, id: PartitionId): PartitionKeys {
    return this.#sealing.partition(epoch, id);
  }

  /** Secret! What `SealingKeys.fromExport` needs in a worker thread: shard ids and keys, but no signing, no heads. */
  exportSealing(): Uint8Array<ArrayBuffer> {
    return this.#sealing.export();
  }

  signer(): HybridSigner {
    this.#signer ??= this.#fromSeeds([DOMAINS.signEd25519, DOMAINS.signMlDsa], ([ed25519, mlDsa]) =>
      HybridSigner.fromSeeds(ed25519!, mlDsa!),
    );
    return this.#signer;
  }

  verifier(): HybridVerifier {
    return HybridVerifier.fromPublicKey(this.signer().publicKey);
  }

  /** Opens what was wrapped for this vault. */
  unwrapper(): HybridUnwrapper {
    this.#unwrapper ??= this.#fromSeeds([DOMAINS.xWing], ([seed]) => HybridUnwrapper.fromSeed(seed!));
    return this.#unwrapper;
  }

  wrapper(): HybridWrapper {
    return HybridWrapper.fromPublicKey(this.unwrapper().publicKey);
  }

  destroy(): void {
    this.#master?.fill(0);
    this.#master = undefined;
    this.#sealing.destroy();
    this.#signer = undefined;
    this.#unwrapper = undefined;
  }

  [Symbol.dispose](): void {
    this.destroy();
  }

  [inspect.custom](): string {
    return `VaultKeys ${this.fingerprint} [secret]`;
  }

  toJSON(): { fingerprint: string } {
    return { fingerprint: this.fingerprint };
  }

  /** The seeds are gone when `make` returns, and when it fails. */
  #fromSeeds<T>(domains: readonly Domain[], make: (seeds: readonly Uint8Array[]) => T): T {
    const seeds = domains.map((domain) => this.#derive(domain));
    try {
      return make(seeds);
    } finally {
      wipe(...seeds);
    }
  }

  #derive(domain: Domain): Uint8Array {
    if (!this.#master) throw new HoldfastError('INTERNAL', 'Vault keys were used after they were destroyed.');
    return hkdfExpand(this.#master, tagged(domain));
  }
}

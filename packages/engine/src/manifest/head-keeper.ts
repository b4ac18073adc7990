import { HoldfastError, type OwnerId, type PeerId, type SnapshotId, type Stripe } from '@holdfast/contracts';
import { openBox, sealBox } from '@holdfast/crypto';
import { decodeHead, encodeHead, type Head } from '@holdfast/formats';
import type { RunContext } from '../run-context.ts';

export const HEAD_DOMAIN = 'holdfast/head/v1';
const PATIENCE_MS = 5_000;

type StoredHead = { sequence: number; bytes: Uint8Array } | null;

/** Keeps the owner's signed pointer to its newest manifest on every peer. */
export class HeadKeeper {
  readonly #run: RunContext;

  constructor(run: RunContext) {
    this.#run = run;
  }

  /**
   * Before a run adds to the history: peers that missed the last head get it now. PEER_HEAD_STALE when one shows a head
   * of ours that this catalog has never seen: then another copy of the vault has written, and two histories would
   * overwrite one another. A head that is not signed by us proves nothing and is passed over.
   */
  async reconcile(): Promise<void> {
    const { engine, storage, tasks } = this.#run;
    const last = await engine.catalog.head();
    const committed = (await engine.catalog.snapshots()).at(-1)?.sequence ?? 0;
    await Promise.all(
      storage.reachable().map(async ({ id }) => {
        const kept = await this.#ask(id);
        if (kept === undefined) return;
        if (kept !== null && kept.sequence > committed) this.#refuseNewer(id, kept, committed);
        else if (last !== null && (kept?.sequence ?? 0) < last.sequence) await this.#give(id, last);
      }),
    );
    tasks.throwIfFailed();
  }

  /** Gives the new head to every reachable peer; says how many have it. INCOMPLETE when those are not a majority. */
  async publish(head: {
    sequence: number;
    snapshot: SnapshotId;
    manifest: Stripe;
    owner: OwnerId;
  }): Promise<number> {
    const { engine, storage } = this.#run;
    const bytes = this.#encode({ ...head, writtenAt: engine.clock.now() });
    const stored = { sequence: head.sequence, bytes };
    await engine.catalog.recordHead(head.sequence, bytes);
    const given = await Promise.all(storage.reachable().map(({ id }) => this.#give(id, stored)));
    const written = given.filter(Boolean).length;
    const all = storage.active().length;
    if (written * 2 <= all) {
      throw new HoldfastError('INCOMPLETE', `Only ${written} of ${all} peers took the new head.`, {
        hint: 'The snapshot can be restored from this machine. Bring more peers back; the next backup gives them the head.',
        details: { sequence: head.sequence, written, peers: all },
      });
    }
    return written;
  }

  #encode(head: Head): Uint8Array {
    const { keys, random } = this.#run.engine;
    const signer = keys.signer();
    const key = keys.headKey();
    try {
      return encodeHead(head, {
        sign: (domain, content) => signer.sign(domain, content),
        seal: (content, associated) => sealBox({ key, domain: HEAD_DOMAIN, associated }, content, random),
      });
    } finally {
      key.fill(0);
    }
  }

  /** What the peer keeps: null for nothing, undefined when it does not say. */
  async #ask(peer: PeerId): Promise<StoredHead | undefined> {
    const { engine, tasks } = this.#run;
    try {
      return await engine.transport.getHead(peer, { signal: tasks.signal, timeout: PATIENCE_MS });
    } catch {
      return undefined;
    }
  }

  async #give(peer: PeerId, head: { sequence: number; bytes: Uint8Array }): Promise<boolean> {
    const { engine, storage, tasks } = this.#run;
    try {
      await engine.transport.putHead(peer, head, { signal: tasks.signal });
      return true;
    } catch (error) {
      if (!tasks.signal.aborted) storage.noteFailure(peer, error);
      return false;
    }
  }

  #refuseNewer(peer: PeerId, kept: NonNullable<StoredHead>, committed: number): void {
    const { engine, storage, tasks } = this.#run;
    if (!this.#isOurs(kept)) return;
    const what = `Peer ${storage.name(peer)} has head ${kept.sequence}, but this catalog ends with snapshot ${committed}`;
    tasks.fail(
      new HoldfastError('PEER_HEAD_STALE', `${what}: another copy of this vault is newer.`, {
        hint: 'Use the newest copy of the vault. Backing up from an older one would overwrite its history.',
        details: { peer, sequence: kept.sequence, committed, owner: engine.owner },
      }),
    );
  }

  /** Signed by us, and with the sequence that the peer gives: else any old head would do to stop us. */
  #isOurs({ bytes, sequence }: NonNullable<StoredHead>): boolean {
    const { keys, owner } = this.#run.engine;
    const verifier = keys.verifier();
    const key = keys.headKey();
    try {
      const head = decodeHead(bytes, {
        verify: (domain, content, signature) => verifier.verify(domain, content, signature),
        open: (sealed, associated) => openBox({ key, domain: HEAD_DOMAIN, associated }, sealed),
      });
      return head.owner === owner && head.sequence === sequence;
    } catch {
      return false;
    } finally {
      key.fill(0);
    }
  }
}

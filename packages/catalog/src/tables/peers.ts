import {
  HoldfastError,
  PEER_EVENTS,
  type PeerEvent,
  type PeerId,
  type PeerRecord,
  peerIdFromKey,
  peerIdToKey,
} from '@holdfast/contracts';
import type { Query } from '../schema.ts';

/**
 * The small numbers that stand for peers inside the database. Rows are never removed or changed, so what was read once
 * stays true; a number from a transaction that was rolled back must be forgotten, though.
 */
export class PeerRefs {
  readonly #byId = new Map<PeerId, number>();

  forget(): void {
    this.#byId.clear();
  }

  async refs(query: Query, ids: readonly PeerId[]): Promise<number[]> {
    const found: number[] = [];
    for (const id of ids) found.push(this.#byId.get(id) ?? (await this.#create(query, id)));
    return found;
  }

  async #create(query: Query, id: PeerId): Promise<number> {
    const key = peerIdToKey(id);
    if (key === null) throw new HoldfastError('USAGE', `${id} is not a peer id.`);
    await query
      .insertInto('peer')
      .values({ key })
      .onConflict((c) => c.doNothing())
      .execute();
    const { ref } = await query
      .selectFrom('peer')
      .select('ref')
      .where('key', '=', key)
      .executeTakeFirstOrThrow();
    this.#byId.set(id, ref);
    return ref;
  }
}

export async function putPeer(query: Query, refs: PeerRefs, peer: PeerRecord): Promise<void> {
  const [ref] = await refs.refs(query, [peer.id]);
  const { name, operator, region, host, port, state } = peer;
  const facts = { name, operator, region, host, port, state };
  await query
    .insertInto('peer_record')
    .values({ peer: ref!, ...facts })
    .onConflict((c) => c.column('peer').doUpdateSet(facts))
    .execute();
}

export async function listPeers(query: Query): Promise<PeerRecord[]> {
  const rows = await query.selectFrom('peer_record').innerJoin('peer', 'ref', 'peer').selectAll().execute();
  const peers = rows.map(({ key, name, operator, region, host, port, state }): PeerRecord => {
    return {
      id: peerIdFromKey(key),
      name,
      operator,
      region,
      host,
      port,
      state: state === 'left' ? 'left' : 'active',
    };
  });
  return peers.sort((a, b) => (a.id < b.id ? -1 : 1));
}

export async function countPeerEvent(
  query: Query,
  refs: PeerRefs,
  { peer, event, count }: { peer: PeerId; event: PeerEvent; count: number },
): Promise<void> {
  const [ref] = await refs.refs(query, [peer]);
  await query
    .insertInto('peer_event')
    .values({ peer: ref!, event, count })
    .onConflict((c) =>
      c.columns(['peer', 'event']).doUpdateSet((e) => ({ count: e('peer_event.count', '+', count) })),
    )
    .execute();
}

export async function listPeerEvents(query: Query): Promise<Map<PeerId, Partial<Record<PeerEvent, number>>>> {
  const rows = await query.selectFrom('peer_event').innerJoin('peer', 'ref', 'peer').selectAll().execute();
  const events = new Map<PeerId, Partial<Record<PeerEvent, number>>>();
  for (const row of rows) {
    const event = PEER_EVENTS.find((known) => known === row.event);
    const id = peerIdFromKey(row.key);
    if (event) events.set(id, { ...events.get(id), [event]: row.count });
  }
  return events;
}

import { createSecureContext } from 'node:tls';
import {
  HoldfastError,
  MAX_HEAD_BYTES,
  type PeerId,
  type ShardId,
  type ShardTransport,
  type TransportOptions,
} from '@holdfast/contracts';
import {
  decodeFlag,
  decodeHave,
  decodeHeadSequence,
  decodeLease,
  decodeList,
  decodePutResult,
  decodeStatus,
  type ListedShard,
  MAX_IDS,
  MAX_LIST,
  type Request,
} from '@holdfast/formats/wire';
import { parseCertificate } from '../membership/authority.ts';
import { type Credentials, contextOptions } from '../tls/credentials.ts';
import { Call, type CallRequest, type CallResult, protocolError } from './call.ts';
import type { PeerAddress } from './connect.ts';
import { CLIENT_LIMITS, type ClientLimits } from './limits.ts';
import { PeerLink } from './peer-link.ts';

export interface TlsTransportOptions {
  /** The owner's. */
  readonly credentials: Credentials;
  /** Asked at each attempt to connect. */
  readonly peers: (id: PeerId) => PeerAddress | undefined;
  /** Name and version, shown in peers' logs. */
  readonly program?: string;
  readonly limits?: Partial<ClientLimits>;
}

const nothing = (): null => null;
const fresh = (limit: number) => (bodyLength: number) =>
  bodyLength > limit ? null : new Uint8Array(bodyLength);

/**
 * The shard protocol over mutual TLS. Shards have a connection of their own per peer, so that a small request does not
 * queue up behind megabytes. KEY_WRONG when identity and certificate do not belong together.
 */
export function tlsTransport(options: TlsTransportOptions): ShardTransport {
  const limits = { ...CLIENT_LIMITS, ...options.limits };
  const authority = parseCertificate(options.credentials.authority);
  const context = createSecureContext(contextOptions(options.credentials));
  const closing = new AbortController();
  const links = { data: new Map<PeerId, PeerLink>(), small: new Map<PeerId, PeerLink>() };

  function link(kind: keyof typeof links, peer: PeerId): PeerLink {
    const known = links[kind].get(peer);
    if (known !== undefined) return known;
    const made = new PeerLink({
      peer,
      address: () => options.peers(peer),
      context,
      authority,
      program: options.program ?? 'holdfast',
      limits,
      signal: closing.signal,
    });
    links[kind].set(peer, made);
    return made;
  }

  async function call(
    kind: keyof typeof links,
    peer: PeerId,
    request: CallRequest,
    settings: TransportOptions | undefined,
  ): Promise<CallResult> {
    if (closing.signal.aborted) throw closed();
    if (settings?.signal?.aborted) throw new HoldfastError('CANCELLED', 'Stopped before the request began.');
    const made = new Call(request, settings, limits.timeout);
    void link(kind, peer).submit(made);
    return made.promise;
  }

  /** A request without bodies; `decode` failing means that the peer answered nonsense. */
  async function ask<T>(
    peer: PeerId,
    request: Request,
    settings: TransportOptions | undefined,
    decode: (result: CallResult['result']) => T,
  ): Promise<T> {
    const { result } = await call('small', peer, { request, body: null, destination: nothing }, settings);
    return decoded(peer, result, decode);
  }

  return {
    async put(peer, { id, hash, leaseUntil, bytes }, settings) {
      const request = { type: 'put', id, hash, leaseUntil } as const;
      const { result } = await call('data', peer, { request, body: bytes, destination: nothing }, settings);
      return decoded(peer, result, decodePutResult);
    },
    async get(peer, id, into, settings) {
      const request = {
        type: 'get',
        id,
        offset: settings?.offset ?? 0,
        length: settings?.length ?? null,
      } as const;
      const destination = (length: number) => (length > into.length ? null : into);
      const { body } = await call('data', peer, { request, body: null, destination }, settings);
      return body?.length ?? 0;
    },
    async getParts(peer, id, range, into, settings) {
      const request = { type: 'get-parts', id, range } as const;
      const destination = (length: number) => (length > into.length ? null : into);
      const { body } = await call('data', peer, { request, body: null, destination }, settings);
      return body?.length ?? 0;
    },
    async have(peer, ids, settings) {
      requireIds(ids);
      return ask(peer, { type: 'have', ids }, settings, (result) => decodeHave(result, ids.length));
    },
    delete: (peer, id, settings) => ask(peer, { type: 'delete', id }, settings, decodeFlag),
    async lease(peer, ids, until, settings) {
      requireIds(ids);
      return ask(peer, { type: 'lease', ids, until }, settings, (result) => decodeLease(result, ids.length));
    },
    async list(peer, page, settings) {
      const found: ListedShard[] = [];
      let after: ShardId | null = page.after ?? null;
      while (found.length < page.limit) {
        const limit = Math.min(MAX_LIST, page.limit - found.length);
        const part: ListedShard[] = await ask(peer, { type: 'list', after, limit }, settings, decodeList);
        requireAscending(peer, after, part);
        found.push(...part);
        if (part.length < limit) break;
        after = part.at(-1)!.id;
      }
      return found;
    },
    status: (peer, settings) =>
      ask(peer, { type: 'status' }, settings, (result) => ({ id: peer, ...decodeStatus(result) })),
    async putHead(peer, head, settings) {
      const request = { type: 'head-put', sequence: head.sequence } as const;
      if (head.bytes.length > MAX_HEAD_BYTES) {
        throw new HoldfastError('FORMAT_INVALID', `A head of ${head.bytes.length} bytes is too large.`);
      }
      await call('small', peer, { request, body: head.bytes, destination: nothing }, settings);
    },
    async getHead(peer, settings) {
      const request = { type: 'head-get' } as const;
      const destination = fresh(MAX_HEAD_BYTES);
      const { result, body } = await call('small', peer, { request, body: null, destination }, settings);
      const sequence = decoded(peer, result, decodeHeadSequence);
      return sequence === null ? null : { sequence, bytes: body ?? new Uint8Array(0) };
    },
    async close() {
      closing.abort();
      for (const all of Object.values(links)) for (const each of all.values()) each.close(closed());
    },
  };
}

function decoded<T>(
  peer: PeerId,
  result: CallResult['result'],
  decode: (result: CallResult['result']) => T,
): T {
  try {
    return decode(result);
  } catch (error) {
    throw protocolError(peer, 'its answer makes no sense', error);
  }
}

const closed = (): HoldfastError => new HoldfastError('CANCELLED', 'The transport was closed.');

function requireIds(ids: readonly ShardId[]): void {
  if (ids.length > MAX_IDS) throw new HoldfastError('INTERNAL', `${ids.length} shard ids in one request`);
}

/** A peer that repeats itself must not keep us paging for ever. */
function requireAscending(peer: PeerId, after: ShardId | null, part: readonly ListedShard[]): void {
  let last = after ?? '';
  for (const { id } of part) {
    if (id <= last) throw protocolError(peer, 'its list is not in order');
    last = id;
  }
}

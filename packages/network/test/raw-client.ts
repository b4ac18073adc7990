import { once } from 'node:events';
import { createSecureContext, type TLSSocket, connect as tlsConnect } from 'node:tls';
import type { CborValue } from '@holdfast/formats';
import {
  decodeHello,
  decodeResponse,
  encodeFrameHead,
  encodeHello,
  FrameReader,
  type Response,
} from '@holdfast/formats/wire';
import type { Credentials, ShardServer } from '../src/index.ts';
import { ALPN, contextOptions } from '../src/tls/credentials.ts';

/** An owner that does not keep to the rules: sends any bytes and records what comes back. */
export class RawClient {
  readonly socket: TLSSocket;
  readonly responses: Response[] = [];
  greeted = false;
  closed = false;

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    const reader = new FrameReader({
      header: () => 'discard',
      frame: (header) => this.#frame(header),
    });
    socket.on('data', (piece: Buffer) => reader.push(piece));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
    });
  }

  static async connect(server: ShardServer, credentials: Credentials, greet = true): Promise<RawClient> {
    const secureContext = createSecureContext(contextOptions(credentials));
    const socket = tlsConnect({
      host: server.host,
      port: server.port,
      secureContext,
      ALPNProtocols: ALPN,
      checkServerIdentity: () => undefined,
    });
    const client = new RawClient(socket);
    await once(socket, 'secureConnect');
    if (greet) client.send(encodeHello({ program: 'raw', maxInFlight: 8 }));
    return client;
  }

  send(header: CborValue, body: Uint8Array = new Uint8Array(0)): void {
    this.socket.write(encodeFrameHead(header, body.length));
    if (body.length > 0) this.socket.write(body);
  }

  #frame(header: CborValue): void {
    if (!this.greeted && Array.isArray(header) && header[0] === 0) {
      decodeHello(header);
      this.greeted = true;
      return;
    }
    this.responses.push(decodeResponse(header));
  }
}

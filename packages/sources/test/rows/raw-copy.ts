import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { PostgresServer } from '@holdfast/testing/servers/postgres-server';

const SETTINGS = `set datestyle = 'ISO'; set intervalstyle = 'postgres'; set timezone = 'UTC'; set extra_float_digits = 3;
  set bytea_output = 'hex'; set client_encoding = 'UTF8'`;

/** ReadyForQuery; a byte with the transaction's state follows. */
const READY = Buffer.from('Z\0\0\0\x05');

const message = (type: string, payload: Uint8Array): Buffer => {
  const header = Buffer.from(`${type}\0\0\0\0`);
  header.writeUInt32BE(payload.length + 4, 1);
  return Buffer.concat([header, payload]);
};

const query = (sql: string): Buffer => message('Q', Buffer.from(`${sql}\0`));

/** An authenticated connection of the driver's, taken from it, and what the server says until it is ready again. */
async function exchange(
  server: PostgresServer,
  send: (socket: Socket) => void,
  database: string,
): Promise<Buffer> {
  const client = await server.connect(database);
  await client.query(SETTINGS);
  const socket = (client as unknown as { connection: { stream: Socket } }).connection.stream;
  socket.removeAllListeners('data');
  const chunks: Buffer[] = [];
  let tail = Buffer.alloc(0);
  const ready = new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      tail = Buffer.concat([tail, chunk]).subarray(-6);
      if (tail.subarray(0, 5).equals(READY)) resolve();
    });
  });
  send(socket);
  await ready;
  socket.destroy();
  await once(socket, 'close');
  return Buffer.concat(chunks);
}

/** The backend's bytes from the first CopyData on. */
export async function rawCopyOut(
  server: PostgresServer,
  sql: string,
  database = 'postgres',
): Promise<Buffer> {
  const all = await exchange(server, (socket) => socket.write(query(sql)), database);
  if (all[0] !== 0x48) throw new Error(all.toString('latin1'));
  return all.subarray(1 + all.readUInt32BE(1));
}

/** COPY … FROM STDIN of these bytes. Throws what the server says against it. */
export async function rawCopyIn(
  server: PostgresServer,
  sql: string,
  bytes: Uint8Array,
  database = 'postgres',
): Promise<void> {
  const send = (socket: Socket) => {
    socket.write(query(sql));
    for (let at = 0; at < bytes.length; at += 60_000)
      socket.write(message('d', bytes.subarray(at, at + 60_000)));
    socket.write(message('c', Buffer.alloc(0)));
  };
  const all = await exchange(server, send, database);
  if (!all.includes('COPY ')) throw new Error(all.toString('latin1'));
}

import { createServer, connect as dial, type Socket } from 'node:net';
import { PostgresServer } from '@holdfast/testing/servers/postgres-server';
import { expect, test } from 'vitest';
import { connectWith } from '../../src/postgres/wal/wire/raw-connection.ts';
import { insert, recovered } from './notes.ts';
import { ProtectedServer } from './protected-server.ts';
import { until } from './shelf.ts';

const missing = await PostgresServer.missing(15);

/** Passes connections on, changing a byte in the middle of what the server sends as often as it is told to. */
async function badLine(port: number): Promise<{ port: number; damage: number; close(): void }> {
  const sockets = new Set<Socket>();
  const line = { port: 0, damage: 0, close: () => {} };
  const server = createServer((near) => {
    const far = dial(port, '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far);
    far.on('data', (bytes) => {
      // Long ones are WAL.
      if (line.damage > 0 && bytes.length > 4000) {
        line.damage -= 1;
        bytes[3000]! ^= 1;
      }
      near.write(bytes);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  line.port = (server.address() as { port: number }).port;
  line.close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return line;
}

test.skipIf(missing)(
  'WAL damaged on the way is asked for again; damaged each time, it is a gap',
  async () => {
    await using world = await ProtectedServer.start();
    const { server } = world;
    await server.query('create table notes (text text)');
    const line = await badLine(server.port);
    const { host, user, password } = server;
    world.protect({
      connect: connectWith({ host, port: line.port, user, password, database: 'postgres' }),
      onEvent(event) {
        world.events.push(event);
        if (event.type === 'gap') line.damage = 0;
      },
    });
    await world.base();
    await world.stored();
    line.damage = 1;
    await server.query(
      `insert into notes select repeat(md5(random()::text), 30) from generate_series(1, 100)`,
    );
    await insert(server, 'one');
    await world.stored();
    expect(line.damage).toBe(0);
    expect(world.of('disconnected').map(({ message }) => message)).toEqual([
      expect.stringMatching(/WAL|write-ahead log/),
    ]);
    expect(world.of('gap')).toEqual([]);
    expect(await recovered(world)).toEqual(['one']);

    line.damage = 1e9;
    await server.query(
      `insert into notes select repeat(md5(random()::text), 30) from generate_series(1, 100)`,
    );
    await until(() => world.of('gap').length > 0);
    expect(world.of('gap')[0]!.reason).toBe('damaged');
    await world.base(2);
    await insert(server, 'two');
    await world.stored();
    expect(await recovered(world)).toEqual(['one', 'two']);
    line.close();
  },
  60_000,
);

import { PostgresServer } from '@holdfast/testing/servers/postgres-server';
import { expect, test } from 'vitest';
import type { WalEvent } from '../../src/postgres/wal/wal-events.ts';
import type { WalPiece } from '../../src/postgres/wal/wal-piece.ts';
import { WalReceiver } from '../../src/postgres/wal/wal-receiver.ts';
import { connectWith } from '../../src/postgres/wal/wire/raw-connection.ts';
import { realClock, until } from './shelf.ts';

const missing = await PostgresServer.missing(15);

test.skipIf(missing)(
  'loses nothing to a taker that is slow while pieces fall due',
  async () => {
    await using server = await PostgresServer.start();
    await server.query('create table t (a int)');
    const events: WalEvent[] = [];
    const pieces: WalPiece[] = [];
    const stop = new AbortController();
    const receiver = new WalReceiver({
      connect: connectWith({ connectionString: server.url('postgres') }),
      clock: realClock,
      slot: 'slow',
      resume: null,
      maxLag: 5,
      watchEvery: 20,
      onEvent: (event) => events.push(event),
      async onPiece(piece) {
        pieces.push(piece);
        await new Promise((resolve) => setTimeout(resolve, 15));
        receiver.confirm(piece);
      },
    });
    const running = receiver.run(stop.signal).catch((error) => error);
    await until(() => pieces.length > 0);
    const client = await server.connect();
    for (let i = 0; i < 200; i++) {
      await client.query('insert into t values (1)');
      // So that a piece falls due while nothing comes, and something comes while it is being taken.
      await new Promise((resolve) => setTimeout(resolve, i % 17));
    }
    await client.end();
    await until(() => pieces.length > 20);
    stop.abort();
    expect(await running).toMatchObject({ code: 'CANCELLED' });
    expect(events.map(({ type }) => type)).toEqual(['slot-created', 'advice', 'connected']);
    for (const [i, piece] of pieces.entries()) {
      if (i > 0) expect(piece.startLsn).toBe(pieces[i - 1]!.endLsn);
      expect(piece.bytes.reduce((sum, { length }) => sum + length, 0)).toBe(
        Number(piece.endLsn - piece.startLsn),
      );
    }
  },
  60_000,
);

import { passwordFor, serverAddress } from '../credentials.ts';
import type { PostgresConnectionOptions } from '../options.ts';
import { connectClient } from '../session.ts';
import type { Connect } from './wire/raw-connection.ts';

/** Connections as the source of rows makes them. The password is looked up each time: it may have been changed. */
export const connectByOptions =
  (options: PostgresConnectionOptions): Connect =>
  async (extra) => {
    const address = serverAddress(options);
    return connectClient(options, address, await passwordFor(options, address), extra);
  };

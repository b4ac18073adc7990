import { PostgresServer } from '@holdfast/testing/servers/postgres-server';
import { describe, expect, test } from 'vitest';

const missing = await PostgresServer.missing(15);

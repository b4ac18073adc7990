import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MariadbServer } from '@holdfast/testing/servers/mariadb-server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type MysqlSourceOptions, mysqlSource } from '../../src/mysql/index.ts';
import { access } from './rig.ts';

const missing = await MariadbServer.missing();

describe.skipIf(missing)('MariaDB over TLS', () => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-tls-'));
  const at = (name: string): string => join(directory, name);
  let server: MariadbServer;

  /** Signed by itself, so that it is its own authority. */
  function makeCertificate(name: string, host = 'localhost'): void {
    const subject = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`];
    const files = ['-keyout', at(`${name}.key`), '-out', at(`${name}.pem`)];
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject, ...files],
      {
        stdio: 'ignore',
      },
    );
    chmodSync(at(`${name}.key`), 0o644);
  }

  beforeAll(async () => {
    chmodSync(directory, 0o755);
    makeCertificate('server');
    makeCertificate('other');
    makeCertificate('elsewhere', 'db.example');
    server = await MariadbServer.start({
      settings: { 'ssl-cert': at('server.pem'), 'ssl-key': at('server.key') },
    });
    await server.query('create database app; create table app.t (id int primary key)');
    await server.query(
      `create user secure@'127.0.0.1' identified by 'p' require ssl; grant all on *.* to secure@'127.0.0.1'`,
    );
    process.env.HOLDFAST_TEST_SECURE = 'p';
  }, 120_000);
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  const look = (host: string, tls?: MysqlSourceOptions['tls']): Promise<unknown> =>
    mysqlSource({
      ...access(server, 'app'),
      user: 'secure',
      passwordEnv: 'HOLDFAST_TEST_SECURE',
      host,
      port: server.port,
      tls,
    }).test();

  test('is used without being asked for, and where it is demanded', async () => {
    await expect(look('127.0.0.1')).resolves.toMatchObject({ kind: 'mysql' });
    await expect(look('127.0.0.1', { mode: 'require' })).resolves.toMatchObject({ kind: 'mysql' });
    await expect(look('127.0.0.1', { mode: 'disable' })).rejects.toThrow(/refuses secure/);
  });

  test('verifies the server where told to: the authority, and the name', async () => {
    await expect(look('localhost', { mode: 'verify-full', ca: at('server.pem') })).resolves.toMatchObject({
      kind: 'mysql',
    });
    await expect(look('localhost', { mode: 'verify-full', ca: at('other.pem') })).rejects.toThrow(
      /does not verify/,
    );
    await expect(look('localhost', { mode: 'verify-full' })).rejects.toThrow(/does not verify/);
    await expect(look('localhost', { mode: 'require', ca: at('other.pem') })).rejects.toThrow(
      /does not verify/,
    );
    // For an address nothing would be compared with the certificate.
    await expect(look('127.0.0.1', { mode: 'verify-full', ca: at('server.pem') })).rejects.toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
    await expect(look('localhost', { ca: at('nothing.pem') })).rejects.toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
  });

  test('does not take a certificate of another name', async () => {
    const settings = { 'ssl-cert': at('elsewhere.pem'), 'ssl-key': at('elsewhere.key') };
    await using other = await MariadbServer.start({ settings });
    const tls = { mode: 'verify-full', ca: at('elsewhere.pem') } as const;
    const options = { ...access(other, 'mysql'), host: 'localhost', port: other.port, tls };
    await expect(mysqlSource(options).test()).rejects.toThrow(/does not verify|altnames/);
  });
});

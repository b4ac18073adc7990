import { HoldfastError } from '@holdfast/contracts';
import type { ServerAddress } from './credentials.ts';
import { addressText } from './credentials.ts';

interface ServerError extends Error {
  /** SQLSTATE, or the system's error code. */
  readonly code?: string;
}

interface Explanation {
  readonly message: string;
  readonly hint: string;
}

/** What failed connecting, in the words of someone who can put it right. Never the password. */
export function connectError(error: unknown, address: ServerAddress): HoldfastError {
  if (HoldfastError.is(error)) return error;
  const { message, hint } = explainConnect(error as ServerError, address);
  const code = (error as ServerError).code;
  return new HoldfastError('SOURCE_UNREADABLE', message, { hint, cause: error, details: { sqlState: code } });
}

function explainConnect(error: ServerError, address: ServerAddress): Explanation {
  const where = addressText(address);
  const { user, database, host, port } = address;
  switch (error.code) {
    case '28P01':
      return {
        message: `Wrong password for ${user} of ${where}`,
        hint: 'Check passwordFile, passwordEnv, PGPASSWORD or ~/.pgpass.',
      };
    case '28000':
      return {
        message: `The server does not admit ${user} to ${where}: ${error.message}`,
        hint: 'Add a line for this user, database and address to pg_hba.conf, and reload the server. Check the user name.',
      };
    case '3D000':
      return {
        message: `There is no database ${database} at ${host}:${port}`,
        hint: 'Check `database`; `psql -l` lists what is there.',
      };
    case '42501':
      return {
        message: `${user} may not connect to ${where}: ${error.message}`,
        hint: `GRANT CONNECT ON DATABASE ${database} TO ${user};`,
      };
    case '53300':
      return {
        message: `Too many connections to ${where}: ${error.message}`,
        hint: 'Lower `connections` of this source, or raise max_connections of the server or the CONNECTION LIMIT of the role.',
      };
    case '57P03':
      return {
        message: `The server of ${where} is starting or stopping: ${error.message}`,
        hint: 'Try again in a moment.',
      };
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return {
        message: `There is no host ${host}`,
        hint: 'Check `host`, and that its name can be resolved.',
      };
    case 'ECONNREFUSED':
    case 'ENOENT':
      return {
        message: `Nothing listens for ${where}`,
        hint: 'Check `host` and `port`, that the server runs, and listen_addresses.',
      };
    default:
      return {
        message: `Cannot connect to ${where}: ${error.message}`,
        hint: passwordHint(error) ?? 'Check `host`, `port`, `tls` and the network between.',
      };
  }
}

/** The driver asked for a password that nobody configured. */
const passwordHint = (error: ServerError): string | null =>
  error.message.includes('password must be a string')
    ? 'The server wants a password: set passwordFile, passwordEnv, PGPASSWORD or ~/.pgpass.'
    : /certificate|self.signed|altnames/i.test(error.message)
      ? 'Set tls.ca to the certificate of the authority that signed the server’s; `host` must be the name in it.'
      : null;

/** @param what the object that was read: `table public.users`. */
export function readError(error: unknown, what: string, user: string): HoldfastError {
  if (HoldfastError.is(error)) return error;
  const { code = '', message } = error as ServerError;
  const details = { sqlState: code || undefined };
  const make = (text: string, hint: string, changed = false): HoldfastError =>
    new HoldfastError(changed ? 'SOURCE_CHANGED' : 'SOURCE_UNREADABLE', text, {
      hint,
      cause: error,
      details,
    });
  if (code === '55P03') return make(`Gave up waiting for a lock: ${what} (${message})`, LOCK_HINT);
  if (code === '42501' && message.includes('row-level security')) return rowSecurityError(what, user, error);
  if (code === '42501') return make(`${user} may not read ${what}: ${message}`, grantFor(message, user));
  if (
    ['42P01', '3F000', '42703', 'XX000', '42704'].includes(code) &&
    /exist|could not open|cache lookup/.test(message)
  )
    return make(`${what} was dropped or altered meanwhile: ${message}`, 'Run the backup again.', true);
  if (code === '53100' || code === '53200')
    return make(
      `The server is out of ${code === '53100' ? 'disk space' : 'memory'} reading ${what}: ${message}`,
      'Make room on the server.',
    );
  if (code === 'XX001' || code === 'XX002')
    return new HoldfastError('SOURCE_CORRUPT', `${what} is damaged: ${message}`, {
      hint: 'Check the server’s log and disks; amcheck and pg_dump tell more.',
      cause: error,
      details,
    });
  if (code === '57014')
    return make(`The server’s administrator cancelled reading ${what}`, 'Run the backup again.');
  if (isLoss(code, message))
    return make(
      `The connection was lost while reading ${what}: ${message}`,
      'Check the server’s log, then run the backup again; nothing half-made was kept.',
    );
  return make(`Cannot read ${what}: ${message}`, 'See the server’s log.');
}

/** What the server names is enough for the statement, but for the schema it is in. */
function grantFor(message: string, user: string): string {
  const [, kind, name] =
    /permission denied for (table|view|sequence|schema|large object) (\S+)/.exec(message) ?? [];
  if (kind === 'schema') return `GRANT USAGE ON SCHEMA ${name} TO ${user};`;
  if (kind === 'large object')
    return `GRANT SELECT ON LARGE OBJECT ${name} TO ${user}; for those to come, back up as a superuser or their owner.`;
  const object =
    kind === undefined ? 'the object named' : `${kind === 'sequence' ? 'SEQUENCE' : 'TABLE'} ${name}`;
  return `GRANT SELECT ON ${object} TO ${user}; or, from version 14 on: GRANT pg_read_all_data TO ${user};`;
}

const LOCK_HINT =
  'Find who holds it (pg_locks, pg_stat_activity): usually ALTER TABLE, VACUUM FULL, or a transaction left open after one. Or raise `lockTimeout`.';

export function rowSecurityError(what: string, user: string, cause?: unknown): HoldfastError {
  return new HoldfastError('SOURCE_UNREADABLE', `Row security would hide rows of ${what} from ${user}`, {
    hint: `Back up as the table’s owner, or: ALTER ROLE ${user} BYPASSRLS;`,
    cause,
  });
}

/** Classes 08 and 57P, and what the driver says itself. */
const isLoss = (code: string, message: string): boolean =>
  /^(08|57P|EPIPE|ECONNRESET|ETIMEDOUT|ECONNREFUSED)/.test(code) ||
  /connection (terminated|ended|error)|not queryable|client was closed|socket/i.test(message);

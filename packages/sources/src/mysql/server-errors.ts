import { type ErrorCode, HoldfastError } from '@holdfast/contracts';

/** Whose work failed, and on what. */
export interface ErrorScene {
  readonly side: 'source' | 'target';
  /** `db.example:3306`, for people. */
  readonly server: string;
  readonly database: string;
  readonly user: string;
  /** Name of the table or other object at work. */
  readonly object?: string;
}

interface Verdict {
  readonly code?: ErrorCode;
  readonly says: string;
  readonly hint: string;
}

const grant = (rights: string, { user, database }: ErrorScene): string =>
  `GRANT ${rights} ON \`${database}\`.* TO '${user}'@'…'`;

const denied = (scene: ErrorScene): string =>
  scene.side === 'source'
    ? `A backup needs: ${grant('SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES', scene)}; and, for more than one connection, GRANT RELOAD ON *.*.`
    : `A restore needs ALL on the database and on its \`…_holdfast_partial\` and \`…_holdfast_old\`; and SUPER or SET USER on *.* for objects of other definers.`;

/** By the server's number: https://mariadb.com/kb/en/mariadb-error-code-reference/ */
const SERVER: Readonly<Record<number, (scene: ErrorScene) => Verdict>> = {
  1040: () => ({
    says: 'has no connection left',
    hint: 'Raise max_connections, or set connections: 1 for this source.',
  }),
  1203: () => ({
    says: 'allows this user no more connections',
    hint: 'Raise MAX_USER_CONNECTIONS of the user, or set connections: 1 for this source.',
  }),
  1044: (scene) => ({ says: `does not let ${scene.user} use the database`, hint: denied(scene) }),
  1045: (scene) => ({
    says: `refuses ${scene.user}: wrong password, or no such user from this address`,
    hint: "Check user and password file (passwordFile, passwordEnv or MYSQL_PWD), and the user's host part on the server.",
  }),
  1698: (scene) => ({
    says: `refuses ${scene.user}, who may come only through the socket as that account`,
    hint: 'Create a user with a password for the backup.',
  }),
  1049: ({ database }) => ({
    says: `has no database ${database}`,
    hint: 'Check the name; it is case-sensitive on most systems.',
  }),
  1142: (scene) => ({ says: 'denies access', hint: denied(scene) }),
  1143: (scene) => ({ says: 'denies access to a column', hint: denied(scene) }),
  1227: (scene) => ({ says: 'denies the operation', hint: denied(scene) }),
  1370: (scene) => ({ says: 'denies access to a routine', hint: denied(scene) }),
  1205: () => ({
    says: 'has it locked for too long',
    hint: 'Another session holds a lock (SHOW FULL PROCESSLIST names it): try again when that has ended.',
  }),
  1213: () => ({ says: 'ended it to break a deadlock', hint: 'Try again.' }),
  1412: ({ side }) => ({
    code: side === 'source' ? 'SOURCE_CHANGED' : 'TARGET_UNWRITABLE',
    says: 'had its definition changed meanwhile',
    hint: 'Back up when no migration runs.',
  }),
  1146: ({ side }) => ({
    code: side === 'source' ? 'SOURCE_CHANGED' : 'TARGET_UNWRITABLE',
    says: 'does not have it any more',
    hint: 'It was dropped or renamed meanwhile: run it again when no migration runs.',
  }),
  1054: ({ side }) => ({
    code: side === 'source' ? 'SOURCE_CHANGED' : 'TARGET_UNWRITABLE',
    says: 'does not have a column of it any more',
    hint: 'It was altered meanwhile: run it again when no migration runs.',
  }),
  1153: () => ({
    says: 'takes no packets of that size',
    hint: 'A row is longer than max_allowed_packet: raise that on the server (up to 1G).',
  }),
  1286: () => ({
    says: 'lacks a storage engine that is needed',
    hint: 'Install or enable the engine that the message names (SHOW ENGINES), or restore to a server that has it.',
  }),
  1114: ({ side }) => ({
    code: side === 'target' ? 'DISK_FULL' : 'SOURCE_UNREADABLE',
    says: 'has no room left for the table',
    hint: 'Make room on the disk of the database server.',
  }),
  1021: ({ side }) => ({
    code: side === 'target' ? 'DISK_FULL' : 'SOURCE_UNREADABLE',
    says: 'has a full disk',
    hint: 'Make room on the disk of the database server; sorting needs some in its tmpdir.',
  }),
  1053: () => ({ says: 'is shutting down', hint: 'Try again when it is up.' }),
  1927: () => ({ says: 'ended the connection (KILL)', hint: 'Someone or something killed it; try again.' }),
  1969: () => ({
    says: 'cut a statement off for taking too long',
    hint: 'Raise max_statement_time for this user.',
  }),
  4031: () => ({ says: 'closed the idle connection', hint: 'Raise wait_timeout.' }),
  1017: ({ side }) => ({
    code: side === 'source' ? 'SOURCE_CORRUPT' : 'TARGET_UNWRITABLE',
    says: 'cannot find a file of the table',
    hint: 'Run CHECK TABLE on it.',
  }),
  1034: corrupt,
  1194: corrupt,
  1195: corrupt,
  1877: corrupt,
  1932: corrupt,
};

function corrupt({ side }: ErrorScene): Verdict {
  return {
    code: side === 'source' ? 'SOURCE_CORRUPT' : 'TARGET_UNWRITABLE',
    says: 'reports the table as damaged',
    hint: "Run CHECK TABLE on it; read the server's log.",
  };
}

/** By the driver's or the system's word. */
const LOST: Readonly<Record<string, Verdict>> = {
  ECONNREFUSED: { says: 'does not answer', hint: 'Check host, port or socket, and that the server runs.' },
  ENOENT: { says: 'has no such socket', hint: 'Check the path, and that the server runs.' },
  ENOTFOUND: { says: 'is no known host', hint: 'Check the name.' },
  ETIMEDOUT: { says: 'does not answer', hint: 'Check host and port, and any firewall between.' },
  HANDSHAKE_NO_SSL_SUPPORT: {
    says: 'offers no TLS',
    hint: 'Set up TLS on the server; or, on a network you trust, set tls: {mode: disable}.',
  },
  HANDSHAKE_SSL_ERROR: {
    says: 'shows a certificate that does not verify',
    hint: 'Name the authority that signed it as tls: {ca: …}, and use the host name that it is for.',
  },
};

const GONE: Verdict = {
  says: 'went away, or the connection was cut',
  hint: 'Check whether the server restarted or killed the connection, then run it again.',
};

const GONE_CODES = new Set(['PROTOCOL_CONNECTION_LOST', 'ECONNRESET', 'EPIPE', 'ERR_STREAM_DESTROYED']);

/** The server's error number, or 0 for what did not come from a server. */
export function serverErrno(error: unknown): number {
  const number = (error as { errno?: unknown } | null)?.errno;
  return typeof number === 'number' && number > 0 ? number : 0;
}

/** A typed error that says what happened to which object, and what to do. Never holds statements: rows could be in them. */
export function mysqlError(error: unknown, scene: ErrorScene): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const { code: word = '', message = String(error) } = (error ?? {}) as { code?: string; message?: string };
  const errno = serverErrno(error);
  const verdict = SERVER[errno]?.(scene) ?? (isGone(word, message) ? GONE : LOST[word]);
  const object = scene.object === undefined ? `database ${scene.database}` : scene.object;
  const what = scene.side === 'source' ? 'Cannot read' : 'Cannot write';
  const code = verdict?.code ?? (scene.side === 'source' ? 'SOURCE_UNREADABLE' : 'TARGET_UNWRITABLE');
  const says = verdict ? `server ${scene.server} ${verdict.says}` : `server ${scene.server} reports an error`;
  const own = errno === 0 && verdict !== undefined ? '' : ` (${message.split('\n')[0]!.slice(0, 300)})`;
  return new HoldfastError(code, `${what} ${object}: ${says}${own}`, {
    hint: verdict?.hint,
    details: { errno, error: word, object: scene.object ?? null },
    // The driver's error has the statement, and a statement may hold rows.
    cause: new Error(message.slice(0, 300)),
  });
}

/** Also what the driver says after a fatal error, whatever that was. */
const isGone = (word: string, message: string): boolean =>
  GONE_CODES.has(word) ||
  /closed state|Connection lost|closed the connection|Packets out of order/i.test(message);

import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { directorySize } from '../harness/directory-size.ts';
import type { ChatDatabase } from './chat-database.ts';
import type { Contender } from './contender.ts';
import { measuredShell } from './pg-dump.ts';

/** The pipe that restic's own documentation recommends for databases. A local repository, default compression. */
export async function resticContender(chat: ChatDatabase, directory: string): Promise<Contender> {
  await mkdir(directory, { recursive: true });
  const repository = join(directory, 'repository');
  const env = {
    RESTIC_REPOSITORY: repository,
    RESTIC_PASSWORD: 'benchmark',
    RESTIC_CACHE_DIR: join(directory, 'cache'),
  };
  await measuredShell(chat, 'restic init --quiet', env);
  const file = '--stdin-filename chat.sql';
  return {
    name: 'restic',
    backup: () => measuredShell(chat, `pg_dump ${chat.name} | restic backup --quiet --stdin ${file}`, env),
    restore: (database) =>
      measuredShell(
        chat,
        `createdb ${database} && restic dump --quiet latest /chat.sql | psql -X -q -v ON_ERROR_STOP=1 -o /dev/null ${database}`,
        env,
      ),
    storedBytes: () => directorySize(repository),
    close: () => rm(directory, { recursive: true, force: true }),
  };
}

/**
 * One backup or restore of a database, as a process of its own: `holdfast-run.ts test|backup|reread SOURCE-JSON` or
 * `holdfast-run.ts restore SINK-JSON`, with HOLDFAST_VAULT. What the command line does, without its output.
 */
import { postgresSink, postgresSource } from '@holdfast/sources/postgres';
import { openVault } from '../../apps/cli/src/vault/open.ts';

const NAME = 'chat';
const [operation, json] = process.argv.slice(2) as ['test' | 'backup' | 'reread' | 'restore', string];
const vault = process.env.HOLDFAST_VAULT!;

if (operation === 'test') {
  await postgresSource(JSON.parse(json)).test();
} else if (operation === 'restore') {
  await using opened = await openVault(vault);
  const snapshot = (await opened.catalog.snapshots({ source: NAME })).at(-1)!;
  await opened.engine.restore({ snapshot: snapshot.id, sink: postgresSink(JSON.parse(json)) });
} else {
  await using opened = await openVault(vault, { write: true });
  const report = await opened.engine.backup({
    name: NAME,
    source: postgresSource(JSON.parse(json)),
    reread: operation === 'reread',
  });
  if (!report.snapshot.complete) throw new Error('The snapshot is not complete.');
}

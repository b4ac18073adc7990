import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openCatalog } from '@holdfast/catalog';
import { sampleJournal, sampleNote, sampleView } from '@holdfast/testing/catalog-samples';
import { expect, test } from 'vitest';
import { temporaryDirectory } from './temporary.ts';

test('placements share policies, relaxations and views, in whatever order these were given', async () => {
  const path = join(temporaryDirectory(), 'catalog.db');
  const catalog = await openCatalog(path);
  for (let n = 1; n <= 20; n++) {
    const peers = n % 2 ? sampleView(5) : sampleView(5).reverse();
    const view = await catalog.recordSwarmView(peers);
    const note = sampleNote(view, ['region', 'load']);
    const settings = Object.entries(note.policy.settings);
    const policy = { ...note.policy, settings: Object.fromEntries(n % 2 ? settings : settings.reverse()) };
    await catalog.journalPartition(sampleJournal(n), { ...note, policy });
  }
  await catalog.close();
  const database = new DatabaseSync(path);
  const rows = ['placement', 'placement_policy', 'relaxation_list', 'swarm_view'].map(
    (table) => database.prepare(`select count(*) as n from ${table}`).get()?.n,
  );
  database.close();
  expect(rows).toEqual([20, 1, 1, 1]);
});

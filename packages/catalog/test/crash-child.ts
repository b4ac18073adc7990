/**
 * Writes to the catalog for as long as it lives, and says after each step that the step is durable. Its parent kills it.
 * Numbers start where the catalog left off, so each run goes on from the last.
 */
import { writeSync } from 'node:fs';
import { openCatalog } from '@holdfast/catalog';
import { sampleJournal, samplePeerId, sampleSnapshot } from '@holdfast/testing/catalog-samples';

const say = (...words: (string | number)[]): void => {
  writeSync(1, `${words.join(' ')}\n`);
};

const catalog = await openCatalog(process.argv[2]!);
let sequence = ((await catalog.snapshots()).at(-1)?.sequence ?? 0) + 1;
for (;;) {
  const n = await catalog.reservePartitionNumbers(1);
  say('reserved', n);
  const journal = sampleJournal(n);
  await catalog.journalPartition(journal);
  say('journalled', n);
  await catalog.acknowledgeShards([{ partition: journal.stripe.id, index: 0 }]);
  say('acknowledged', n);
  await catalog.moveJournalledShard(journal.stripe.id, 1, samplePeerId(9));
  say('moved', n);
  if (n % 4 === 0) continue;
  await catalog.completePartition(journal.stripe.id);
  say('complete', n);
  if (n % 3 > 0) continue;
  await catalog.commitSnapshot(sampleSnapshot(sequence));
  say('snapshot', sequence);
  await catalog.recordHead(sequence, Uint8Array.of(sequence & 0xff));
  say('head', sequence);
  sequence += 1;
}

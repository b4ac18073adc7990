import type { RecordedRelaxation } from '@holdfast/contracts';
import type { Query } from '../schema.ts';

/** One placement more for each rule that it kept `before`, and the newest relaxation of each. */
export async function countRelaxations(
  query: Query,
  change: {
    readonly partition: number;
    readonly at: number;
    readonly before: readonly RecordedRelaxation[];
    readonly added: readonly RecordedRelaxation[];
  },
): Promise<void> {
  const { partition, at, before } = change;
  for (const { rule, reason } of change.added) {
    const more = before.some((relaxation) => relaxation.rule === rule) ? 0 : 1;
    await query
      .insertInto('relaxed_rule')
      .values({ rule, placements: more, at, partition, reason })
      .onConflict((c) =>
        c.column('rule').doUpdateSet((e) => ({
          placements: e('relaxed_rule.placements', '+', more),
          at,
          partition,
          reason,
        })),
      )
      .execute();
  }
}

export async function uncountRelaxations(
  query: Query,
  relaxations: readonly RecordedRelaxation[],
): Promise<void> {
  if (relaxations.length === 0) return;
  await query
    .updateTable('relaxed_rule')
    .set((e) => ({ placements: e('placements', '-', 1) }))
    .where(
      'rule',
      'in',
      relaxations.map(({ rule }) => rule),
    )
    .execute();
}

import { type Catalog, HoldfastError, type PartitionId, type StoredPlacement } from '@holdfast/contracts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** By number (`17`, `#17`) or id. USAGE for neither; NOT_FOUND for what there is not, or was abandoned. */
export async function findPlacement(catalog: Catalog, wanted: string): Promise<StoredPlacement> {
  const number = await numberOf(catalog, wanted.trim().toLowerCase());
  const [placement] = number === null ? [] : await catalog.placements([number]);
  if (placement) return placement;
  throw new HoldfastError('NOT_FOUND', `There is no partition "${wanted}".`, {
    hint: 'See the partitions of a snapshot with: holdfast show latest --partitions',
    details: { partition: wanted },
  });
}

async function numberOf(catalog: Catalog, wanted: string): Promise<number | null> {
  if (/^#?\d{1,15}$/.test(wanted)) return Number(wanted.replace('#', ''));
  if (UUID.test(wanted)) return catalog.partitionNumber(wanted as PartitionId);
  throw new HoldfastError('USAGE', `"${wanted}" is neither the number nor the id of a partition.`, {
    hint: 'See them with: holdfast show latest --partitions',
    details: { partition: wanted },
  });
}

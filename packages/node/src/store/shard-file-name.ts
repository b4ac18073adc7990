import {
  type Hash,
  isHash,
  isPeerId,
  isShardId,
  type OwnerId,
  type ShardId,
  SIZE_CLASSES,
} from '@holdfast/contracts';

/** All that is known of a shard but its lease, which is the file's modification time. */
export interface ShardFile {
  readonly id: ShardId;
  readonly hash: Hash;
  readonly owner: OwnerId;
  readonly bytes: number;
}

/**
 * The name carries what belongs to the shard, so that one rename publishes bytes and metadata together, and the
 * directory is the only index there is: nothing beside it can be lost or disagree with it.
 */
export const shardFileName = ({ id, hash, owner, bytes }: ShardFile): string =>
  `${id}.${hash}.${owner}.${bytes}`;

/** Null for names that are not a shard's. */
export function parseShardFileName(name: string): ShardFile | null {
  const [id = '', hash = '', owner = '', size = '', ...more] = name.split('.');
  const bytes = SIZE_CLASSES.find((known) => String(known) === size);
  if (more.length > 0 || bytes === undefined || !isShardId(id) || !isHash(hash) || !isPeerId(owner))
    return null;
  return { id, hash, owner, bytes };
}

const BUCKET_DIGITS = 3;

/** The directory of a shard: 4 096 of them hold some 250 shards each per tebibyte stored. */
export const bucketOf = (id: ShardId): string => id.slice(0, BUCKET_DIGITS);

export const isBucket = (name: string): boolean => /^[0-9a-f]{3}$/.test(name);

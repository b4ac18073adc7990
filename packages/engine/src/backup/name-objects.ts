import { displayPath, HoldfastError } from '@holdfast/contracts';
import type { SnapshotLog } from './snapshot-log.ts';

const NAMED_IN_MESSAGE = 3;

/** A sealing lane knows chunks only: says of a failure that names some which objects they are content of. */
export function nameObjects(failure: unknown, log: SnapshotLog | null): unknown {
  if (!HoldfastError.is(failure, 'WORKER_DIED') || log === null) return failure;
  const { chunks } = failure.details;
  const paths = Array.isArray(chunks) ? log.waitingFor(new Set<string>(chunks)) : [];
  if (paths.length === 0) return failure;
  const objects = paths.map(displayPath);
  const more = objects.length - NAMED_IN_MESSAGE;
  const named = objects.slice(0, NAMED_IN_MESSAGE).join(', ') + (more > 0 ? ` and ${more} more` : '');
  return new HoldfastError(failure.code, `${failure.message} It was content of ${named}.`, {
    hint: failure.hint,
    cause: failure.cause,
    details: { ...failure.details, objects },
  });
}

import { HoldfastError } from '@holdfast/contracts';

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException | undefined)?.code;

export const isAbsent = (error: unknown): boolean => codeOf(error) === 'ENOENT';

/** What the owner learns: no space is its own code, everything else is the peer's failure with the cause kept. */
export function diskError(error: unknown, doing: string): HoldfastError {
  const code = codeOf(error);
  if (error instanceof HoldfastError) return error;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new HoldfastError('PEER_DISK_FULL', `The disk is full (${code}) while ${doing}.`, {
      cause: error,
    });
  }
  return new HoldfastError('PEER_FAILED', `The disk failed (${code ?? 'unknown'}) while ${doing}.`, {
    cause: error,
  });
}

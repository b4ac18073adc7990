import { ERROR_CODES, type ErrorCode, HoldfastError } from '@holdfast/contracts';

/** An error as data: structured clone keeps neither classes nor codes. */
export interface WorkerFailure {
  readonly code: string;
  readonly message: string;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;
  readonly stack: string | undefined;
}

export function describeFailure(error: HoldfastError): WorkerFailure {
  const { code, message, hint, stack } = error;
  const details = JSON.parse(JSON.stringify(error.details)) as Record<string, unknown>;
  return { code, message, hint, details, stack };
}

export function revive(failure: WorkerFailure): HoldfastError {
  const code = failure.code in ERROR_CODES ? (failure.code as ErrorCode) : 'INTERNAL';
  const error = new HoldfastError(code, failure.message, { hint: failure.hint, details: failure.details });
  if (failure.stack) error.stack = failure.stack;
  return error;
}

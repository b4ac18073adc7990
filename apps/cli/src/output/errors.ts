import { HoldfastError } from '@holdfast/contracts';
import type { Colors } from './colors.ts';
import { plain } from './json.ts';

const REPORT_BUGS = 'This is a bug in Holdfast. Run again with HOLDFAST_DEBUG=1 and report what it prints.';

/** Whatever was thrown, as a HoldfastError; what nobody foresaw becomes INTERNAL. */
export function asHoldfastError(error: unknown): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new HoldfastError('INTERNAL', message || 'Something failed without saying why.', {
    hint: REPORT_BUGS,
    cause: error,
  });
}

/** The value printed on standard output under `--json`. */
export function errorJson(error: HoldfastError): { error: Record<string, unknown> } {
  return {
    error: {
      code: error.code,
      message: error.message,
      hint: error.hint ?? null,
      details: plain(error.details),
    },
  };
}

/** What happened, what to do, and (with HOLDFAST_DEBUG) where. The code comes last: it is for looking up, not reading. */
export function errorLines(error: HoldfastError, colors: Colors, debug: boolean): string[] {
  const lines = [`${colors.red('Error:')} ${error.message} ${colors.dim(`[${error.code}]`)}`];
  const reason = rootReason(error);
  if (reason !== null) lines.push(`  ${colors.dim('because:')} ${reason}`);
  if (error.hint) lines.push(`  ${colors.dim('to do:')} ${error.hint}`);
  if (debug) lines.push(...stackLines(error));
  return lines;
}

/** The innermost cause's own words, unless the message repeats them already. */
function rootReason(error: HoldfastError): string | null {
  let innermost: unknown = error;
  while (innermost instanceof Error && innermost.cause !== undefined) innermost = innermost.cause;
  if (innermost === error) return null;
  const text = (innermost instanceof Error ? innermost.message : String(innermost)).split('\n')[0]!.trim();
  return text === '' || error.message.includes(text) ? null : text;
}

/** With all causes. */
export function stackLines(error: Error): string[] {
  const lines: string[] = [];
  for (let at: unknown = error; at instanceof Error; at = at.cause)
    lines.push(...(at.stack ?? at.message).split('\n'));
  return lines;
}

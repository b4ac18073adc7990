import { z } from 'zod';
import { parseDuration } from '../units/duration.ts';

/** `30s` to milliseconds. */
export const duration = z.string().transform((text, context) => {
  try {
    return parseDuration(text);
  } catch {
    context.addIssue({
      code: 'custom',
      message: `"${text}" is not a duration: write numbers with units, such as 30s`,
    });
    return z.NEVER;
  }
});

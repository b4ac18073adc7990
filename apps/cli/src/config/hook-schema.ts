import { z } from 'zod';
import { duration } from './duration-schema.ts';

const LONGEST = 86_400_000;

const argument = z.string().max(4096);

/** A list of arguments, run as it is; a text goes to the shell. */
const command = z.union(
  [
    z.string().min(1).max(16_384),
    z.tuple([argument.min(1, 'the first argument is the program to run')], argument),
  ],
  'write a list of arguments, such as [/usr/local/bin/notify, failed], or a text for the shell',
);

const webAddress = z
  .url({ protocol: /^https?$/, error: 'write an address that begins with https:// or http://' })
  .max(4096);

const hookSettings = z
  .strictObject({
    run: command.optional(),
    url: webAddress.optional(),
    timeout: duration
      .refine(
        (milliseconds) => milliseconds > 0 && milliseconds <= LONGEST,
        'must be longer than no time, and 1d at most',
      )
      .prefault('1m'),
    environment: z.array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'no name of a variable')).default([]),
  })
  .superRefine(({ run, url }, context) => {
    if ((run === undefined) === (url === undefined)) {
      context.addIssue({ code: 'custom', message: 'give either run (a command) or url (an address)' });
    }
  });

/** Just a command stands for `{run: …}`. */
const hook = z.preprocess(
  (given) => (typeof given === 'string' || Array.isArray(given) ? { run: given } : given),
  hookSettings,
);

export const hooksSchema = z.strictObject({
  before: hook.optional(),
  success: hook.optional(),
  failure: hook.optional(),
});

export type HookConfig = z.output<typeof hookSettings>;
export type HooksConfig = z.output<typeof hooksSchema>;

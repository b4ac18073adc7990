import { HoldfastError } from '@holdfast/contracts';
import { z } from 'zod';
import { parseServerUrl } from './database-url.ts';
import { hooksSchema } from './hook-schema.ts';
import { checkSchedule, scheduleFields } from './schedule-schema.ts';

const server = z.string().superRefine((text, context) => {
  try {
    parseServerUrl(text);
  } catch (error) {
    // The message, not the text: somebody may have written a password into it.
    const message = HoldfastError.is(error) ? error.message : 'is no address of a server';
    context.addIssue({ code: 'custom', message });
  }
});

const schedule = { ...scheduleFields, hooks: hooksSchema.optional() };

/** When the newest snapshot of files is restored for a try. */
export const fileDrillSchema = z.strictObject(schedule).superRefine(checkSchedule);

/** The same for a database server; and on which one. */
export const databaseDrillSchema = z
  .strictObject({
    ...schedule,
    on: server.optional(),
    passwordFile: z.string().min(1).max(4096).optional(),
    passwordEnv: z
      .string()
      .regex(/^[A-Za-z_]\w*$/, 'the name of an environment variable')
      .optional(),
    owner: z.enum(['keep', 'none']).default('keep'),
    jobs: z.int().min(1).max(64).optional(),
  })
  .superRefine(checkSchedule)
  .superRefine(({ passwordFile, passwordEnv }, context) => {
    if (passwordFile === undefined || passwordEnv === undefined) return;
    const message = 'is set beside passwordFile: the password comes from one place';
    context.addIssue({ code: 'custom', path: ['passwordEnv'], message });
  });

export type DrillConfig = z.output<typeof fileDrillSchema> | z.output<typeof databaseDrillSchema>;

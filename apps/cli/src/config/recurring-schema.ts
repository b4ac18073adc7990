import { fileDrillSchema } from './drill-schema.ts';
import { hooksSchema } from './hook-schema.ts';
import { scheduleSchema } from './schedule-schema.ts';

/** What the agent is told about a source. */
export const recurring = {
  schedule: scheduleSchema.optional(),
  hooks: hooksSchema.optional(),
  drill: fileDrillSchema.optional(),
};

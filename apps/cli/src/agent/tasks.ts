import { type AgentContext, backupTask } from './backup-task.ts';
import { drillTask } from './drill-task.ts';
import type { Task } from './task.ts';

/** Everything that recurs for a vault. Other recurring work is made a task and listed here. */
export function tasksOf(context: AgentContext): Task[] {
  return Object.entries(context.config.sources).flatMap(([name, source]) =>
    [backupTask(name, source, context), drillTask(name, source, context)].filter((task) => task !== null),
  );
}

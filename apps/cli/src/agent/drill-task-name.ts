/** What is remembered of a source's drills is remembered under it. */
export const drillTaskName = (source: string): string => `drill:${source}`;

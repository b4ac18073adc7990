import { createHash } from 'node:crypto';

/** What PostgreSQL takes for a slot's name, the same for a vault and source each time, and another's by no accident. */
export function slotName(vault: string, source: string): string {
  const readable = source
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .slice(0, 32);
  const unique = createHash('sha256').update(`${vault}\0${source}`).digest('hex').slice(0, 12);
  return `holdfast_${readable}_${unique}`;
}

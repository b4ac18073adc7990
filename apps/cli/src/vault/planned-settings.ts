import type { SlaPlan } from '@holdfast/placement';

/** What of a plan goes into holdfast.yaml. */
export interface PlannedSettings {
  readonly policy: { readonly k: number; readonly m: number; readonly maxPerOperator: number };
}

/** Null for several copies of each shard, which backups do not place. */
export function plannedSettings({ code, rules }: SlaPlan): PlannedSettings | null {
  const { k, m, copies } = code;
  return copies > 1 ? null : { policy: { k, m, maxPerOperator: rules.maxPerOperator } };
}

export const settingLines = (settings: PlannedSettings): string[] =>
  Object.entries(settings).flatMap(([section, values]) => [
    `${section}:`,
    ...Object.entries(values as Record<string, number>).map(([name, value]) => `  ${name}: ${value}`),
  ]);

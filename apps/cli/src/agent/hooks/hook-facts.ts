/** What a hook is told: as JSON, and each member that is not null as a variable. Never secrets. */
export interface HookFacts {
  readonly event: 'before' | 'success' | 'failure';
  readonly vault: string;
  readonly task: string;
  readonly source: string | null;
  /** The moment of the schedule that the run is for; ISO 8601. */
  readonly slot: string;
  /** From 1. */
  readonly attempt: number;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly seconds: number | null;
  readonly snapshot: string | null;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  readonly errorHint: string | null;
  /** Whether the agent tries again before the next slot. */
  readonly willRetry: boolean | null;
  /** Only as JSON. */
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Of the agent's own environment hooks get this much, and what they ask for by name. */
const PASSED_ON = ['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR'];

/** `HOLDFAST_ERROR_CODE` for `errorCode`. */
export function hookEnvironment(
  facts: HookFacts,
  wanted: readonly string[],
  own: NodeJS.ProcessEnv,
): Record<string, string> {
  const { facts: _, ...told } = facts;
  const passed = [...PASSED_ON, ...wanted].flatMap((name) =>
    own[name] === undefined ? [] : [[name, own[name]] as const],
  );
  const variables = Object.entries(told).flatMap(([name, value]) =>
    value === null ? [] : [[variableName(name), String(value).replaceAll('\0', '')] as const],
  );
  return Object.fromEntries([...passed, ...variables]);
}

const variableName = (name: string): string =>
  `HOLDFAST_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;

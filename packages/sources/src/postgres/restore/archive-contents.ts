/** One object in an archive, as `pg_restore --list --verbose` prints it. */
export interface ArchiveEntry {
  readonly id: number;
  /** `TABLE`, `FK CONSTRAINT`. */
  readonly kind: string;
  /** Schema, name and owner, one space between: ambiguous where names have spaces. */
  readonly rest: string;
  readonly dependsOn: readonly number[];
}

/** Of two words or more, those that matter; everything else is taken by its first word. */
const LONG_KINDS = [
  'CHECK CONSTRAINT',
  'DEFAULT ACL',
  'EVENT TRIGGER',
  'FK CONSTRAINT',
  'FOREIGN TABLE',
  'INDEX ATTACH',
  'MATERIALIZED VIEW',
  'PUBLICATION TABLE',
  'PUBLICATION TABLES IN SCHEMA',
  'ROW SECURITY',
  'SECURITY LABEL',
  'SEQUENCE OWNED BY',
  'SEQUENCE SET',
  'TABLE ATTACH',
  'TABLE DATA',
];

export function parseContents(listing: string): ArchiveEntry[] {
  const entries: (ArchiveEntry & { dependsOn: number[] })[] = [];
  for (const line of listing.split('\n')) {
    const entry = /^(\d+); \d+ \d+ (.*)$/.exec(line);
    if (entry !== null) {
      const words = entry[2]!;
      const kind = LONG_KINDS.find((long) => words.startsWith(`${long} `)) ?? words.split(' ', 1)[0]!;
      entries.push({ id: Number(entry[1]), kind, rest: words.slice(kind.length + 1), dependsOn: [] });
      continue;
    }
    const on = /^;\tdepends on: ([\d ]+)$/.exec(line);
    if (on !== null) entries.at(-1)?.dependsOn.push(...on[1]!.trim().split(' ').map(Number));
  }
  return entries;
}

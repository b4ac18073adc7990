import type { Attributes, Source, SourceSnapshot } from '@holdfast/contracts';

/** Objects whose attributes say what a physical snapshot is good for. */
export const FACT_OBJECTS: ReadonlySet<string> = new Set(['info', 'label']);

export interface NotingSource {
  readonly source: Source;
  /** What the source said of itself while it was read; null before. */
  noted(): Attributes | null;
}

/** The same source, of which is kept what would else have to be fetched from its manifest. */
export function notingSource(source: Source): NotingSource {
  let noted: Attributes | null = null;
  const note = (attributes: Attributes): void => {
    noted = attributes;
  };
  return {
    source: {
      kind: source.kind,
      test: (options) => source.test(options),
      open: async (options) => noting(await source.open(options), note),
    },
    noted: () => noted,
  };
}

const noting = (snapshot: SourceSnapshot, note: (attributes: Attributes) => void): SourceSnapshot => ({
  attributes: snapshot.attributes,
  estimate: snapshot.estimate,
  problems: snapshot.problems,
  async *objects(options) {
    for await (const object of snapshot.objects(options)) {
      if (FACT_OBJECTS.has(object.kind)) note(object.attributes);
      yield object;
    }
  },
  close: () => snapshot.close(),
});

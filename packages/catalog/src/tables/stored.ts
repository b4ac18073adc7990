import {
  HoldfastError,
  type JournalFrame,
  type PeerView,
  type RecordedPolicy,
  type RecordedRelaxation,
  type SettingValue,
  type Stripe,
} from '@holdfast/contracts';
import { decodeJournalFrames, decodeStripe, decodeSwarmView } from '@holdfast/formats';

export const storedStripe = (bytes: Uint8Array): Stripe => stored('a stripe', () => decodeStripe(bytes));

export const storedFrames = (bytes: Uint8Array): JournalFrame[] =>
  stored('a journal entry', () => decodeJournalFrames(bytes));

export const storedTags = (text: string): string[] =>
  stored('the tags of a snapshot', () => {
    const tags: unknown = JSON.parse(text);
    if (isTexts(tags)) return tags;
    throw invalid('a list of texts');
  });

export const storedView = (bytes: Uint8Array): PeerView[] =>
  stored('the view of a swarm', () => decodeSwarmView(bytes));

export const storedRelaxations = (text: string): RecordedRelaxation[] =>
  stored('the relaxations of a placement', () => {
    const pairs: unknown = JSON.parse(text);
    if (!Array.isArray(pairs)) throw invalid('a list');
    return pairs.map((pair: unknown) => {
      if (!isTexts(pair) || pair.length !== 2) throw invalid('a pair of texts');
      return { rule: pair[0]!, reason: pair[1]! };
    });
  });

export const storedPolicy = (text: string): RecordedPolicy =>
  stored('the policy of a placement', () => {
    const { version, mode, settings } = recordOf(JSON.parse(text));
    if (typeof version !== 'number' || typeof mode !== 'string') throw invalid('a version and a mode');
    const entries = Object.entries(recordOf(settings)).map(([name, value]) => {
      if (!isSetting(value)) throw invalid(`a value of ${name}`);
      return [name, value] as const;
    });
    return { version, mode, settings: Object.fromEntries(entries) };
  });

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');

const isSetting = (value: unknown): value is SettingValue =>
  ['number', 'string', 'boolean'].includes(typeof value) || isTexts(value);

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid('a record');
  return value as Readonly<Record<string, unknown>>;
}

const invalid = (wanted: string): HoldfastError => new HoldfastError('FORMAT_INVALID', `Not ${wanted}.`);

/** What was encoded when it was written and cannot be decoded any more has been damaged in between. */
function stored<T>(what: string, decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    throw new HoldfastError('CATALOG_CORRUPT', `The catalog is damaged: ${what} cannot be read.`, {
      hint: 'Move the file away and rebuild the catalog from the peers; the backups themselves are not affected.',
      cause,
    });
  }
}

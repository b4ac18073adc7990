import { HoldfastError, type JournalFrame, type Stripe } from '@holdfast/contracts';
import { decodeJournalFrames, decodeStripe } from '@holdfast/formats';

export const storedStripe = (bytes: Uint8Array): Stripe => stored('a stripe', () => decodeStripe(bytes));

export const storedFrames = (bytes: Uint8Array): JournalFrame[] =>
  stored('a journal entry', () => decodeJournalFrames(bytes));

export const storedTags = (text: string): string[] =>
  stored('the tags of a snapshot', () => {
    const tags: unknown = JSON.parse(text);
    if (Array.isArray(tags) && tags.every((tag) => typeof tag === 'string')) return tags;
    throw new HoldfastError('FORMAT_INVALID', 'Not a list of texts.');
  });

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

import { HoldfastError } from '@holdfast/contracts';
import { entropyToMnemonic, mnemonicToEntropy } from '@scure/bip39';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { ROOT_BYTES } from './keys.ts';

const WORDS = 24;
const HINT = 'Compare with the phrase that `holdfast init` showed: 24 English words, in order.';

/** The root secret as 24 words of BIP-39's English list, the last of which carries a checksum. Secret! */
export function phraseFromRoot(root: Uint8Array): string {
  if (root.length !== ROOT_BYTES)
    throw new HoldfastError('KEY_WRONG', `A root secret has ${ROOT_BYTES} bytes.`);
  return entropyToMnemonic(root, wordlist);
}

/** Case and white space do not matter. KEY_WRONG names the first word that is not in the list, by place. */
export function rootFromPhrase(phrase: string): Uint8Array {
  const words = phrase.normalize('NFKD').toLowerCase().split(/\s+/u).filter(Boolean);
  if (words.length !== WORDS) throw wrong(`A recovery phrase has ${WORDS} words, not ${words.length}.`);
  const unknown = words.findIndex((word) => !wordlist.includes(word));
  if (unknown >= 0) throw unknownWord(words[unknown]!, unknown + 1);
  try {
    return mnemonicToEntropy(words.join(' '), wordlist);
  } catch {
    // The library's error would quote the phrase.
    throw wrong('All 24 words are known, but their checksum is wrong: one is mistaken, or two are swapped.');
  }
}

/** The list is made so that four letters tell all its words apart. */
function unknownWord(word: string, place: number): HoldfastError {
  const near = wordlist.filter(
    (known) => known.startsWith(word.slice(0, 4)) || known.startsWith(word.slice(0, 3)),
  );
  const suggestion = near.length > 0 ? ` Did you mean ${near.slice(0, 3).join(', ')}?` : '';
  return wrong(
    `Word ${place} of the recovery phrase, "${word.slice(0, 20)}", is not in the list.${suggestion}`,
    { place },
  );
}

function wrong(message: string, details: Readonly<Record<string, unknown>> = {}): HoldfastError {
  return new HoldfastError('KEY_WRONG', message, { hint: HINT, details });
}

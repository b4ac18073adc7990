import type { Random } from '@holdfast/contracts';
import {
  HybridVerifier,
  openBox,
  PUBLIC_KEY_BYTES,
  phraseFromRoot,
  rootFromPhrase,
  SealingKeys,
  SIGNATURE_BYTES,
  sealBox,
  VaultKeys,
} from '@holdfast/crypto';
import { seededRandom } from '@holdfast/testing/seeded-random';
import { decodeKeyFile, encodeKeyFile } from '../../../../packages/crypto/src/keyfile-format.ts';
import { decoder, SMALL, type Target, Violation } from '../target.ts';

const random: Random = seededRandom('fuzz keys');
const keys = VaultKeys.fromRoot(random.bytes(32));
const DOMAIN = 'holdfast/fuzz/v1';
const MESSAGE = Buffer.from('what the owner says');
const SECRET = Buffer.from('what the owner keeps to itself');
const signature = keys.signer().sign(DOMAIN, MESSAGE);
const verifier = keys.verifier();
const box = sealBox({ key: keys.headKey(), domain: DOMAIN }, SECRET, random);

const PROTECTION = { memoryKiB: 65_536, passes: 3, lanes: 4, salt: random.bytes(16) };
const KEY_FILES = [null, PROTECTION].map((protection) =>
  encodeKeyFile({ fingerprint: keys.fingerprint, protection, secret: random.bytes(protection ? 60 : 32) }),
);

export const keyTargets: readonly Target[] = [
  decoder({
    name: 'key-file',
    text: true,
    seeds: () => KEY_FILES.map((text) => Buffer.from(text, 'utf8')),
    decode: (input) => decodeKeyFile(Buffer.from(input).toString('utf8'), 'the file'),
    // Spaces, notes and the order of fields are free: what was read must survive being written, and nothing else.
    encode(content, input) {
      const text = encodeKeyFile(content);
      if (encodeKeyFile(decodeKeyFile(text, 'the file')) !== text)
        throw new Violation('What was read is not what is read after writing it.');
      return input;
    },
  }),
  decoder({
    name: 'phrase',
    text: true,
    seeds: () => [1, 2, 3, 4].map((i) => Buffer.from(phraseFromRoot(seededRandom(i).bytes(32)))),
    decode: (input) => rootFromPhrase(Buffer.from(input).toString('utf8')),
    encode(root, input) {
      const words = Buffer.from(input).toString('utf8').normalize('NFKD').toLowerCase().trim().split(/\s+/u);
      if (phraseFromRoot(root) !== words.join(' '))
        throw new Violation('The root is not that of the phrase.');
      return input;
    },
    refusals: ['KEY_WRONG'],
    allocation: { base: 2 ** 20, perByte: 400 },
  }),
  {
    name: 'public-key',
    seeds: () => [keys.signer().publicKey],
    refusals: ['FORMAT_INVALID'],
    attempt: (input) => HybridVerifier.fromPublicKey(input).verify(DOMAIN, MESSAGE, signature),
    confirm(verified: boolean, input) {
      const own = Buffer.compare(input, keys.signer().publicKey) === 0;
      if (verified !== own) throw new Violation(`A signature verifies under another key: ${verified}`);
      if (input.length !== PUBLIC_KEY_BYTES) throw new Violation('It takes a key of another length.');
    },
    allocation: SMALL,
  },
  {
    name: 'signature',
    seeds: () => [signature, keys.signer().sign(DOMAIN, MESSAGE)],
    refusals: [],
    attempt: (input) => verifier.verify(DOMAIN, MESSAGE, input),
    confirm(verified: boolean, input) {
      // Signing again gives other bytes, so that several are right; all that the fuzzer knows are its seeds.
      if (verified && input.length !== SIGNATURE_BYTES)
        throw new Violation('A signature of another length verifies.');
    },
    allocation: SMALL,
  },
  {
    name: 'box',
    seeds: () => [box],
    refusals: ['SEAL_BROKEN'],
    attempt: (input) => openBox({ key: keys.headKey(), domain: DOMAIN }, input),
    confirm(content: Uint8Array, input) {
      if (Buffer.compare(input, box) !== 0 || Buffer.compare(content, SECRET) !== 0)
        throw new Violation('A box opens that nobody sealed.');
    },
    allocation: SMALL,
  },
  decoder({
    name: 'sealing-keys',
    seeds: () => [keys.exportSealing()],
    decode: (input) => SealingKeys.fromExport(input),
    encode: (value) => value.export(),
    refusals: ['KEY_WRONG'],
  }),
];

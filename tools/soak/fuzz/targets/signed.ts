import { decodeHead, decodeManifest, decodePublicHead, encodeHead, encodeManifest } from '@holdfast/formats';
import { head, manifest } from '../../../../packages/formats/test/format-arbitraries.ts';
import { decoder, type Target, Violation } from '../target.ts';
import { asBuffer, samples } from './samples.ts';

const HEADER_BYTES = 12;
const LENGTH_AT = 8;
const SIGNATURE = Buffer.from('signature');

/** Stand-ins that vouch for anything: the bytes behind a good signature may be hostile as well, if its owner is. */
const trusting = () => true;
const asItIs = (bytes: Uint8Array): Uint8Array => bytes;

export const signedTargets: readonly Target[] = [
  decoder({
    name: 'manifest',
    seeds: () => samples(manifest).map((value) => encodeManifest(value, () => SIGNATURE)),
    decode: (input) => decodeManifest(input, trusting),
    encode: (value, input) => encodeManifest(value, () => signatureOf(input)),
    repair: fitBody,
  }),
  decoder({
    name: 'head',
    seeds: () => samples(head).map((value) => encodeHead(value, { sign: () => SIGNATURE, seal: asItIs })),
    decode: (input) => decodeHead(input, { verify: trusting, open: asItIs }),
    encode(value, input) {
      const { owner, sequence, writtenAt } = decodePublicHead(input, trusting);
      if (owner !== value.owner || sequence !== value.sequence || writtenAt !== value.writtenAt)
        throw new Violation('Its public part says something else to those without keys.');
      return encodeHead(value, { sign: () => signatureOf(input), seal: asItIs });
    },
    repair: fitBody,
    // The private part is padded once more to compare.
    allocation: { base: 512 * 1024, perByte: 400 },
  }),
];

const signatureOf = (input: Uint8Array): Uint8Array =>
  input.subarray(HEADER_BYTES + asBuffer(input).readUInt32BE(LENGTH_AT));

function fitBody(input: Uint8Array): Uint8Array {
  const body = input.length - HEADER_BYTES - SIGNATURE.length;
  if (body >= 0) asBuffer(input).writeUInt32BE(body, LENGTH_AT);
  return input;
}

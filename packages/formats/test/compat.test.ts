import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  cacheReader,
  decodeHead,
  decodeJournalFrames,
  decodeManifest,
  decodeStripe,
  decodeSwarmView,
  metadataReader,
  PAYLOAD_HEADER_BYTES,
  readPayload,
} from '../src/index.ts';
import { decodeRowsDescription, decodeRowsIndex } from '../src/rows/index.ts';
import * as values from './compat-values.ts';

const FIXTURES = new URL('../../../test/compat/formats-v1/', import.meta.url);
const SPECS = new URL('../../../docs/specs/', import.meta.url);

const fixture = (name: string): Buffer =>
  Buffer.from(readFileSync(new URL(`${name}.hex`, FIXTURES), 'utf8').replace(/\s/g, ''), 'hex');

/** What each decoder must make of its file, forever. */
const DECODED: Readonly<Record<string, (bytes: Uint8Array) => void>> = {
  payload(bytes) {
    const { used, frames } = readPayload(bytes);
    expect(used).toBe(values.stripe.size);
    expect(frames).toEqual(
      values.payloadFrames.map((frame, i) => ({ ...frame, start: PAYLOAD_HEADER_BYTES + [0, 8][i]! })),
    );
    const content = bytes.subarray(PAYLOAD_HEADER_BYTES, PAYLOAD_HEADER_BYTES + values.payloadContent.length);
    expect(Buffer.from(content)).toEqual(values.payloadContent);
  },
  objects(bytes) {
    const reader = metadataReader();
    expect([...reader.push(bytes), ...reader.end()]).toEqual(values.objects);
  },
  stripe: (bytes) => expect(decodeStripe(bytes)).toEqual(values.stripe),
  'journal-frames': (bytes) => expect(decodeJournalFrames(bytes)).toEqual(values.journalFrames),
  'swarm-view': (bytes) => expect(decodeSwarmView(bytes)).toEqual(values.swarmView),
  manifest: (bytes) => expect(decodeManifest(bytes, values.verify)).toEqual(values.manifest),
  head: (bytes) =>
    expect(decodeHead(bytes, { verify: values.verify, open: values.unsealed })).toEqual(values.head),
  'rows-description': (bytes) => expect(decodeRowsDescription(bytes)).toEqual(values.rowsDescription),
  'rows-index': (bytes) => expect(decodeRowsIndex(bytes)).toEqual(values.rowsIndex),
  cache(bytes) {
    const reader = cacheReader();
    const records = [...reader.push(bytes), ...reader.end()];
    expect(reader.header).toEqual(values.cacheHeader);
    expect(records).toEqual([
      ...values.objects.map((record) =>
        record.type === 'object' ? { ...record, fingerprint: 'ino:7' } : record,
      ),
      { type: 'blocks', hashes: Uint8Array.from(values.blockHashes) },
    ]);
  },
};

describe('frozen bytes', () => {
  it('are all looked at', () => {
    const files = readdirSync(FIXTURES).map((file) => file.replace('.hex', ''));
    expect(files.sort()).toEqual(Object.keys(DECODED).sort());
    expect(Object.keys(values.ENCODERS).sort()).toEqual(Object.keys(DECODED).sort());
  });

  it.each(Object.keys(DECODED))('of %s are still read and still written', (name) => {
    DECODED[name]!(fixture(name));
    expect(Buffer.from(values.ENCODERS[name]!())).toEqual(fixture(name));
  });
});

/**
 * Blocks that begin with "```hex NAME": hex digits with `# …` behind them; `xx * n` is n times the same bytes, decimal.
 */
function examples(): { file: string; name: string; bytes: Buffer }[] {
  return readdirSync(SPECS).flatMap((file) => {
    const text = readFileSync(new URL(file, SPECS), 'utf8');
    return [...text.matchAll(/^```hex (\S+)\n(.*?)^```/gms)].map(([, name, block]) => {
      const lines = block!.split('\n').map((line) => line.replace(/#.*/, '').trim());
      const pieces = lines.map((line) => {
        const [digits, times] = line.split('*');
        return digits!.replace(/\s/g, '').repeat(Number(times ?? 1));
      });
      return { file, name: name!, bytes: Buffer.from(pieces.join(''), 'hex') };
    });
  });
}

describe('the examples in the specifications', () => {
  const found = examples().filter(({ name }) => Object.hasOwn(DECODED, name));

  it('show every format that leaves the machine', () => {
    expect(new Set(found.map(({ name }) => name))).toEqual(
      new Set(['payload', 'objects', 'stripe', 'manifest', 'head', 'rows-description', 'rows-index']),
    );
  });

  it.each(found)('in $file: $name is the frozen file', ({ name, bytes }) => {
    expect(bytes.toString('hex')).toBe(fixture(name).toString('hex'));
  });
});

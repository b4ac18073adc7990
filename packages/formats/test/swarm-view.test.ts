import { peerIdFromKey } from '@holdfast/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeCanonical,
  decodeSwarmView,
  encodeCanonical,
  encodeSwarmView,
  roundedLatency,
  roundedShare,
} from '../src/index.ts';
import { peerView, swarmView } from './format-arbitraries.ts';
import { checkHostileInput } from './hostile.ts';

describe('the view of a swarm', () => {
  it('is read as it was written, in the order of ids', () => {
    fc.assert(
      fc.property(swarmView, (view) => {
        const bytes = encodeSwarmView(view);
        expect(decodeSwarmView(bytes)).toEqual(view);
        expect(encodeSwarmView([...view].reverse())).toEqual(bytes);
      }),
    );
  });

  it('keeps rounded facts exactly', () => {
    const facts = fc.record({
      latency: fc.double({ min: 0, max: 1e6, noNaN: true }),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(peerView, facts, (peer, { latency, share }) => {
        const view = [{ ...peer, latencyMs: roundedLatency(latency), reputation: roundedShare(share) }];
        expect(decodeSwarmView(encodeSwarmView(view))).toEqual(view);
        expect(Math.abs(view[0]!.latencyMs - latency)).toBeLessThanOrEqual(0.000_500_1);
        expect(Math.abs(view[0]!.reputation - share)).toBeLessThanOrEqual(0.000_000_500_1);
      }),
    );
  });

  it('refuses hostile bytes', () => {
    checkHostileInput(swarmView.map(encodeSwarmView), decodeSwarmView, encodeSwarmView);
  });

  it('refuses peers out of order or twice, and shares above 1', () => {
    const peer = (n: number) => ({
      id: peerIdFromKey(Buffer.alloc(32, n)),
      operator: 'a',
      region: 'eu',
      failureDomains: [],
      member: true,
      freeBytes: 1,
      capacityBytes: 1,
    });
    const rows = decodeCanonical(encodeSwarmView([peer(1), peer(2)]), { what: 'it', maxBytes: 1000 });
    const [first, second] = rows as readonly (readonly (string | number | null)[])[];
    for (const wrong of [[second!, first!], [first!, first!], [[...first!.slice(0, 11), 1_000_001]]]) {
      expect(() => decodeSwarmView(encodeCanonical(wrong))).toThrow(
        expect.objectContaining({ code: 'FORMAT_INVALID' }),
      );
    }
    expect(() => encodeSwarmView([peer(1), peer(1)])).toThrow(
      expect.objectContaining({ code: 'FORMAT_INVALID' }),
    );
  });
});

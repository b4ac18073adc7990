import type { Random } from '@holdfast/contracts';
import { describe, expect, it } from 'vitest';

const UUID4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** What every Random must do. The statistics fail by chance less than once in a billion runs. */
export function randomContract(name: string, open: () => Random): void {
  describe(`Random: ${name}`, () => {
    it('gives as many bytes as asked, which the caller owns', () => {
      const random = open();
      for (const length of [0, 1, 7, 32, 1_000, 200_000]) expect(random.bytes(length)).toHaveLength(length);
      const first = random.bytes(32);
      const copy = first.slice();
      random.bytes(32).fill(0);
      random.bytes(32);
      expect(first).toEqual(copy);
    });

    it('does not repeat itself', () => {
      const random = open();
      const seen = new Set(
        Array.from({ length: 1_000 }, () => Buffer.from(random.bytes(16)).toString('hex')),
      );
      expect(seen.size).toBe(1_000);
    });

    it('has no favourite bits', () => {
      const bytes = open().bytes(100_000);
      for (let bit = 0; bit < 8; bit++) {
        const ones = bytes.reduce((sum, byte) => sum + ((byte >> bit) & 1), 0);
        expect(Math.abs(ones - 50_000)).toBeLessThan(1_000);
      }
    });

    it('makes version 4 UUIDs', () => {
      const random = open();
      const uuids = Array.from({ length: 200 }, () => random.uuid());
      for (const uuid of uuids) expect(uuid).toMatch(UUID4);
      expect(new Set(uuids).size).toBe(200);
    });

    it('draws evenly from 0 up to but not including 1, with all 53 bits', () => {
      const random = open();
      const draws = Array.from({ length: 20_000 }, () => random.uniform());
      expect(draws.every((draw) => draw >= 0 && draw < 1)).toBe(true);
      const mean = draws.reduce((sum, draw) => sum + draw, 0) / draws.length;
      expect(Math.abs(mean - 0.5)).toBeLessThan(0.015);
      expect(draws.some((draw) => (draw * 2 ** 53) % 2 === 1)).toBe(true);
    });
  });
}

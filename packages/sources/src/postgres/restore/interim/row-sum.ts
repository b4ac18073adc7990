import { createHmac } from 'node:crypto';
import { encodeTuple, fieldsOf } from './tuple-splitter.ts';

const MODULUS = 1n << 128n;

/** Stands in for the sum that docs/specs/rows.md will define: of the same laws, but other values. */
export class RowSum {
  readonly #fields: number;
  readonly #key: Uint8Array;
  #sum = 0n;
  rows = 0;

  constructor({ fields, rowKey }: { fields: number; keyFields: number; rowKey: Uint8Array }) {
    this.#fields = fields;
    this.#key = rowKey;
  }

  add(tuples: Uint8Array): void {
    for (const row of fieldsOf(tuples, this.#fields)) {
      const hash = createHmac('sha256', this.#key).update(encodeTuple(row)).digest('hex').slice(0, 32);
      this.#sum = (this.#sum + BigInt(`0x${hash}`)) % MODULUS;
      this.rows += 1;
    }
  }

  checksum(): Uint8Array {
    return Buffer.from(this.#sum.toString(16).padStart(32, '0'), 'hex').reverse();
  }
}

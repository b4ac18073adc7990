import { HoldfastError, type Stripe } from '@holdfast/contracts';
import { decodeCanonical, encodeCanonical } from './cbor.ts';
import { readFields } from './fields.ts';
import { MAX_RECORD_BYTES, RecordReader, withLength } from './records.ts';
import { stripeFromCbor, stripeToCbor } from './stripe.ts';

const WHAT = 'the stream of stripes';

/** With its length prefix. Depends on nothing but the stripe: the same in every stream and every snapshot. */
export function encodeStripe(stripe: Stripe): Uint8Array {
  return withLength(encodeCanonical(stripeToCbor(stripe)), `the stripe of partition ${stripe.id}`);
}

/** Exactly one record of `encodeStripe`. FORMAT_INVALID. */
export function decodeStripe(bytes: Uint8Array): Stripe {
  const reader = stripeReader();
  const stripes = reader.push(bytes);
  reader.end();
  if (stripes.length === 1) return stripes[0]!;
  throw new HoldfastError('FORMAT_INVALID', `A record that should hold one stripe holds ${stripes.length}`);
}

export function stripeReader(): RecordReader<Stripe> {
  return new RecordReader(WHAT, (body) => {
    const value = decodeCanonical(body, { what: `a record of ${WHAT}`, maxBytes: MAX_RECORD_BYTES });
    return readFields(value, WHAT, stripeFromCbor);
  });
}

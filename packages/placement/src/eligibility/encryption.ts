import { type CheckRequest, type CheckResult, fail, pass } from './check.ts';

/** What our transport insists on. */
const PROTOCOL = 'TLSv1.3';
const CIPHER = 'TLS_AES_256_GCM_SHA384';

/** Hard. Where nothing is known of the offer, an answer is proof: the transport speaks nothing else. */
export function checkEncryption({ observation }: CheckRequest): CheckResult {
  const { encryption, status } = observation;
  if (encryption === undefined) {
    return status === undefined
      ? fail('encryption', 'hard', 'nothing is known of the encryption that it supports')
      : pass('encryption', 'hard', 'answered over TLS 1.3 with AES-256-GCM');
  }
  const lacking = [
    ...(encryption.protocols.includes(PROTOCOL)
      ? []
      : [`${PROTOCOL} (it offers ${list(encryption.protocols)})`]),
    ...(encryption.ciphers.includes(CIPHER) ? [] : [`${CIPHER} (it offers ${list(encryption.ciphers)})`]),
  ];
  return lacking.length === 0
    ? pass('encryption', 'hard', 'supports TLS 1.3 with AES-256-GCM')
    : fail('encryption', 'hard', `does not support ${lacking.join(' nor ')}`);
}

const list = (names: readonly string[]): string => names.join(', ') || 'none';

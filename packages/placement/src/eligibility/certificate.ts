import { type CheckRequest, type CheckResult, fail, pass } from './check.ts';
import { minute } from './figures.ts';

/**
 * Hard. Where nothing is known of the certificate itself, an answer is proof of a valid one, since the transport gets one from no
 * other peer. A revocation counts from the moment when it is known, whatever time it names.
 */
export function checkCertificate({ observation, context }: CheckRequest): CheckResult {
  const { certificate, status } = observation;
  if (certificate === undefined) {
    return status === undefined
      ? fail('certificate', 'hard', 'did not answer with a valid certificate')
      : pass('certificate', 'hard', 'answered with a valid certificate');
  }
  const { validFrom, validUntil, revokedAt } = certificate;
  if (revokedAt !== undefined) {
    return fail('certificate', 'hard', `its certificate was revoked on ${minute(revokedAt)}`);
  }
  if (context.now >= validFrom && context.now < validUntil) {
    return pass('certificate', 'hard', `its certificate is valid until ${minute(validUntil)}`);
  }
  const reason =
    context.now < validFrom
      ? `its certificate is valid only from ${minute(validFrom)}`
      : `its certificate was valid until ${minute(validUntil)}`;
  return fail('certificate', 'hard', `${reason}; it is ${minute(context.now)}`);
}

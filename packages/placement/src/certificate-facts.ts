/** What is known of a peer's certificate. Wall clock, ms since 1970; valid before `validUntil`. */
export interface CertificateFacts {
  readonly validFrom: number;
  readonly validUntil: number;
  readonly revokedAt?: number | undefined;
}

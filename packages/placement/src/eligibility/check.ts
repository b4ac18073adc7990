import type { PeerId, PeerRecord, PeerStatus } from '@holdfast/contracts';
import type { CertificateFacts } from '../certificate-facts.ts';
import type { PlacementRules } from '../placement-rules.ts';

/** In the order in which they are made and shown. */
export const ELIGIBILITY_CHECKS = [
  'membership',
  'certificate',
  'encryption',
  'answer',
  'room',
  'reputation-floor',
  'packet-loss',
  'region',
  'headroom',
  'load',
  'reputation',
  'latency',
] as const;
export type EligibilityCheckName = (typeof ELIGIBILITY_CHECKS)[number];

/** What the owner's node knows of a peer. Absent: not known, or not measured yet. */
export interface PeerObservation {
  /** From the peer's certificate and its admission. */
  readonly record: PeerRecord;
  /** Its latest answer, which only a peer with a valid certificate can give, over TLS 1.3. */
  readonly status?: PeerStatus | undefined;
  readonly certificate?: CertificateFacts | undefined;
  readonly encryption?: EncryptionOffer | undefined;
  // Measured here. Shares are 0 … 1.
  readonly latencyMs?: number | undefined;
  readonly packetLoss?: number | undefined;
  readonly reputation?: number | undefined;
}

/** What a peer's side of a connection offers, by the names that TLS uses: `TLSv1.3`, `TLS_AES_256_GCM_SHA384`. */
export interface EncryptionOffer {
  readonly protocols: readonly string[];
  readonly ciphers: readonly string[];
}

export interface EligibilityContext {
  /** Wall clock, ms since 1970. */
  readonly now: number;
  /** By region (`eu/de`): how many of the partition's shards are there already. Absent: none anywhere. */
  readonly shardsByRegion?: ReadonlyMap<string, number> | undefined;
}

export interface CheckRequest {
  readonly observation: PeerObservation;
  readonly rules: PlacementRules;
  readonly context: EligibilityContext;
}

export interface CheckResult {
  readonly check: EligibilityCheckName;
  /** Hard: the peer cannot get the shard. Soft: only if the rule is relaxed. Information: judged over the whole placement. */
  readonly severity: 'hard' | 'soft' | 'information';
  readonly passed: boolean;
  /** With the figures, for people; also of what passed. */
  readonly message: string;
}

/** Of a rejected peer, and why. */
export interface RejectedPeer {
  readonly peer: PeerId;
  readonly reason: string;
}

type Severity = CheckResult['severity'];

export const pass = (check: EligibilityCheckName, severity: Severity, message: string): CheckResult => ({
  check,
  severity,
  passed: true,
  message,
});

export const fail = (check: EligibilityCheckName, severity: Severity, message: string): CheckResult => ({
  check,
  severity,
  passed: false,
  message,
});

/** A fact that speaks neither for nor against a peer is no reason to keep it out. */
export const unmeasured = (check: EligibilityCheckName, severity: Severity, what: string): CheckResult =>
  pass(check, severity, `${what} is not measured yet`);

export type { PeerAddress } from './client/connect.ts';
export { CLIENT_LIMITS, type ClientLimits } from './client/limits.ts';
export { type TlsTransportOptions, tlsTransport } from './client/tls-transport.ts';
export {
  type Authority,
  type AuthorityOptions,
  createAuthority,
  loadAuthority,
  parseCertificate,
  saveAuthorityKey,
} from './membership/authority.ts';
export {
  type Grant,
  type GrantDecision,
  type IssuedGrant,
  issueGrant,
  readGrant,
} from './membership/grant.ts';
export {
  generateIdentity,
  type Identity,
  identityFromKey,
  identityFromPem,
  identityToPem,
  loadIdentity,
  saveIdentity,
} from './membership/identity.ts';
export { issueCertificate, type MemberFacts, requireFacts } from './membership/issue.ts';
export {
  createJoinRequest,
  type JoinRequest,
  type Proposal,
  readJoinRequest,
} from './membership/join-request.ts';
export { type Member, ROLES, type Role, verifyMember } from './membership/member.ts';
export type { StatusFacts } from './server/answer.ts';
export type { ServerEvent } from './server/events.ts';
export { SERVER_LIMITS, type ServerLimits } from './server/limits.ts';
export { type ServeOptions, type ShardServer, serveShards } from './server/serve-shards.ts';
export type { Credentials } from './tls/credentials.ts';

import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { HoldfastError, type PeerId } from '@holdfast/contracts';
import { WIRE_PROTOCOL } from '@holdfast/formats/wire';
import { type Member, type Role, verifyMember } from '../membership/member.ts';

export interface Expected {
  readonly role: Role;
  /** The very peer that was asked for, where one was. */
  readonly id?: PeerId;
}

/**
 * Who is at the other end of a finished handshake. OpenSSL has checked the chain already; this checks all of it again
 * with our own rules and adds those that OpenSSL does not know. PEER_UNTRUSTED; PEER_PROTOCOL for another protocol.
 */
export function authenticate(socket: TLSSocket, authority: X509Certificate, expected: Expected): Member {
  if (socket.alpnProtocol !== WIRE_PROTOCOL) {
    throw new HoldfastError('PEER_PROTOCOL', `The other side does not speak ${WIRE_PROTOCOL}.`);
  }
  const certificate = socket.getPeerX509Certificate();
  if (!socket.authorized || certificate === undefined) {
    const why = socket.authorizationError ?? 'none was shown';
    throw new HoldfastError('PEER_UNTRUSTED', `No valid certificate of this swarm: ${String(why)}`);
  }
  const member = verifyMember(certificate, authority, Date.now());
  if (expected.id !== undefined && member.id !== expected.id) {
    throw new HoldfastError('PEER_UNTRUSTED', `Expected peer ${expected.id}, but ${member.id} answered.`, {
      hint: 'Check the peer’s address.',
    });
  }
  if (member.role !== expected.role) {
    throw new HoldfastError(
      'PEER_UNTRUSTED',
      `${member.id} is certified as ${member.role}, not as ${expected.role}.`,
    );
  }
  return member;
}

import { constants } from 'node:crypto';
import type { AgentOptions } from 'node:https';
import { Agent } from 'node:https';
import type {
  ConnectionOptions,
  PeerCertificate,
  SecureContextOptions,
  TLSSocket,
  TlsOptions,
} from 'node:tls';
import { asElderError, ElderError } from '../protocol/errors.ts';
import { peerName, requirePeer } from './spiffe.ts';

/** What a process shows to its peers and whom it trusts. PEM texts. */
export interface TlsIdentity {
  readonly certificate: string;
  readonly key: string;
  readonly ca: string;
}

/** The part of a TLS set-up that a renewed certificate changes, as `server.setSecureContext` takes it. */
export function secureContext(identity: TlsIdentity): SecureContextOptions {
  return {
    cert: identity.certificate,
    key: identity.key,
    ca: identity.ca,
    minVersion: 'TLSv1.3',
    // A resumed session would skip the look at the peer's certificate and outlive its end.
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}

/** Options of a server that talks only to holders of a certificate of the tree; `socketPeer` tells to whom. */
export function serverTls(identity: TlsIdentity): TlsOptions {
  return { ...secureContext(identity), requestCert: true, rejectUnauthorized: true };
}

/** Options of a connection to exactly the principal `expect` of this tree, whatever address it has. */
export function clientTls(
  options: TlsIdentity & { readonly tree: string; readonly expect: string },
): ConnectionOptions & SecureContextOptions {
  const expected = { tree: options.tree, name: options.expect };
  return {
    ...secureContext(options),
    rejectUnauthorized: true,
    checkServerIdentity: (_host: string, certificate: PeerCertificate) => {
      try {
        requirePeer(certificate, expected);
        return undefined;
      } catch (error) {
        return asElderError(error);
      }
    },
  };
}

/**
 * Makes an agent for HTTPS requests to one principal. An agent keeps connections by address and does not
 * know for whom they were checked, so each peer, and each certificate of one's own, needs an agent of its own.
 */
export function peerAgent(
  options: TlsIdentity & { readonly tree: string; readonly expect: string },
  agentOptions: AgentOptions = {},
): Agent {
  return new Agent({ ...agentOptions, ...clientTls(options), maxCachedSessions: 0 });
}

/** Tells who is at the other end of a server's connection. Throws `denied` unless it is a principal of this tree. */
export function socketPeer(socket: TLSSocket, tree: string): string {
  if (!socket.authorized) throw new ElderError('denied', 'the peer showed no certificate of this tree');
  return peerName(socket.getPeerCertificate(), tree);
}

import { constants, X509Certificate } from 'node:crypto';
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
import { requireLeaf } from './leaf-certificate.ts';
import { peerName, requirePeer } from './spiffe.ts';

/** What a process shows to its peers and whom it trusts. PEM texts. */
export interface TlsIdentity {
  readonly certificate: string;
  readonly key: string;
  /** One or more roots. */
  readonly ca: string;
  /** Tells whether the certificate with this serial number was taken back. */
  readonly isRevoked?: (serial: string) => boolean;
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
        const leaf = new X509Certificate(certificate.raw);
        requireLeaf(leaf, options.isRevoked);
        requirePeer(leaf, expected);
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

/**
 * Tells who is at the other end of a server's connection. Throws `denied` unless it is a principal of this tree
 * whose certificate is one of a process and was not taken back.
 */
export function socketPeer(socket: TLSSocket, tree: string, isRevoked?: (serial: string) => boolean): string {
  const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined;
  if (certificate === undefined)
    throw new ElderError('denied', 'the peer showed no certificate of this tree');
  requireLeaf(certificate, isRevoked);
  return peerName(certificate, tree);
}

import { X509Certificate } from 'node:crypto';
import { Agent, type AgentOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import { connect, type TLSSocket } from 'node:tls';
import type { Credentials } from '../../identity/credentials.ts';
import { requireLeaf } from '../../identity/leaf-certificate.ts';
import { requirePeer } from '../../identity/spiffe.ts';
import { clientTls } from '../../identity/tls.ts';

interface LenientOptions {
  readonly credentials: Credentials;
  readonly tree: string;
  readonly expect: string;
  /** Tells whether the certificate with this serial number is the one last given to its holder. */
  readonly isCurrent: (serial: string) => boolean;
}

/**
 * An agent of the manager that talks to an elder even when the elder's present certificate is over, so that the
 * elder can be given a new one: nobody renews anything while the machine sleeps or no manager runs. It must
 * be right in everything else, and the last one that this very process was given.
 */
export class LenientAgent extends Agent {
  readonly #options: LenientOptions;
  /** Connections that are being made: the agent itself does not know them yet. */
  readonly #making = new Set<TLSSocket>();

  constructor(options: LenientOptions, agentOptions: AgentOptions) {
    super({ ...agentOptions, maxCachedSessions: 0 });
    this.#options = options;
  }

  /** Hands the connection over only after the look at the peer, so that nobody else is sent anything. */
  override createConnection(
    target: Parameters<Agent['createConnection']>[0],
    done: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    const { credentials, tree, expect } = this.#options;
    const tls = clientTls({ ...credentials.current(), tree, expect });
    const { host, port } = target as { host: string; port: number };
    const socket = connect({ ...tls, host, port, rejectUnauthorized: false });
    this.#making.add(socket);
    socket.once('close', () => this.#making.delete(socket));
    const fail = (error: Error) => done(error, socket);
    socket.once('error', fail);
    socket.once('secureConnect', () => {
      socket.off('error', fail);
      this.#making.delete(socket);
      const error = this.#errorOf(socket);
      if (error === null) return done(null, socket);
      socket.destroy();
      done(error, socket);
    });
  }

  /** Ends those connections too that a peer that hangs never lets come about. */
  override destroy(): void {
    for (const socket of this.#making) socket.destroy(new Error('the connection was given up'));
    super.destroy();
  }

  #errorOf(socket: TLSSocket): Error | null {
    if (socket.authorized) return null;
    const reason = String(socket.authorizationError);
    const { credentials, tree, expect, isCurrent } = this.#options;
    const certificate = socket.getPeerX509Certificate();
    if (certificate === undefined) return new Error(reason);
    try {
      const leaf = new X509Certificate(certificate.raw);
      requireLeaf(leaf, (serial) => credentials.trust.isRevoked(serial));
      requirePeer(leaf, { tree, name: expect });
      if (reason !== 'CERT_HAS_EXPIRED') return new Error(reason);
      credentials.trust.requireIssued(leaf);
      return isCurrent(leaf.serialNumber) ? null : new Error(reason);
    } catch (error) {
      return error as Error;
    }
  }
}

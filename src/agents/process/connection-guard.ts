import type { X509Certificate } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server } from 'node:https';
import type { TLSSocket } from 'node:tls';

interface ConnectionGuardOptions {
  /** Tells who is at the other end; throws when nobody who may be there. Asked again whenever trust changes. */
  readonly identify: (socket: TLSSocket) => string;
  /** Throws when the certificate that a live connection was opened with is trusted no more. */
  readonly judge: (certificate: X509Certificate) => void;
  /** Ms after which a connection is closed as soon as nothing is under way on it. */
  readonly maxAgeMs: number;
  /** Connections at a time, and those of one principal. */
  readonly max: number;
  readonly maxPerSource: number;
  /** Told of each connection that was refused or cut for who is at its other end. */
  readonly onRefused: (error: unknown, socket: TLSSocket) => void;
}

interface Live {
  readonly source: string;
  readonly certificate: X509Certificate;
  readonly timer: NodeJS.Timeout;
  underWay: number;
  /** It is to end as soon as nothing is under way on it. */
  due: boolean;
}

/** The longest that a timer of Node can wait (ms). */
const longestTimerMs = 2 ** 31 - 1;

/** Looks after the live connections of an HTTPS server: who may have one, how many, and for how long. */
export class ConnectionGuard {
  readonly #options: ConnectionGuardOptions;
  readonly #live = new Map<TLSSocket, Live>();

  constructor(server: Server, options: ConnectionGuardOptions) {
    this.#options = options;
    server.on('secureConnection', (socket: TLSSocket) => this.#admit(socket));
    server.on('request', (request: IncomingMessage, response: ServerResponse) =>
      this.#began(request.socket as TLSSocket, response),
    );
  }

  /** Cuts every connection whose certificate is trusted no more, whatever is under way on it. */
  sweep(): void {
    for (const [socket, { certificate }] of this.#live) {
      try {
        this.#options.judge(certificate);
        this.#options.identify(socket);
      } catch (error) {
        this.#refuse(socket, error);
      }
    }
  }

  #admit(socket: TLSSocket): void {
    let source: string;
    const certificate = socket.getPeerX509Certificate();
    try {
      source = this.#options.identify(socket);
      if (certificate === undefined) throw new Error('the peer showed no certificate');
      this.#options.judge(certificate);
      if (this.#live.size >= this.#options.max) throw new Error(`${this.#live.size} connections are open`);
      const count = [...this.#live.values()].filter((live) => live.source === source).length;
      if (count >= this.#options.maxPerSource) throw new Error(`${source} has ${count} connections already`);
    } catch (error) {
      this.#refuse(socket, error);
      return;
    }
    const untilEnd = certificate.validToDate.getTime() - Date.now();
    const timer = setTimeout(
      () => this.#aged(socket),
      Math.min(this.#options.maxAgeMs, Math.max(0, untilEnd), longestTimerMs),
    );
    timer.unref();
    this.#live.set(socket, { source, certificate, timer, underWay: 0, due: false });
    socket.once('close', () => {
      clearTimeout(timer);
      this.#live.delete(socket);
    });
  }

  #aged(socket: TLSSocket): void {
    const live = this.#live.get(socket);
    if (live === undefined) return;
    live.due = true;
    if (live.underWay === 0) socket.end();
  }

  #began(socket: TLSSocket, response: ServerResponse): void {
    const live = this.#live.get(socket);
    if (live === undefined) return;
    live.underWay += 1;
    if (live.due) response.shouldKeepAlive = false;
    response.once('close', () => {
      live.underWay -= 1;
      if (live.due && live.underWay === 0) socket.end();
    });
  }

  #refuse(socket: TLSSocket, error: unknown): void {
    this.#options.onRefused(error, socket);
    socket.destroy();
  }
}

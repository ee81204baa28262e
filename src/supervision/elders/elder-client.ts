import type { X509Certificate } from 'node:crypto';
import type { Agent } from 'node:https';
import { request } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { Credentials } from '../../identity/credentials.ts';
import { peerAgent } from '../../identity/tls.ts';
import { ElderError } from '../../protocol/errors.ts';
import { connectAddress } from '../listen-address.ts';
import { LenientAgent } from './lenient-agent.ts';

interface ElderClientOptions {
  readonly credentials: Credentials;
  readonly tree: string;
  /** Who must answer; anybody else is refused. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** Ms after which its connections are made anew; never when left out. */
  readonly connectionAgeMs?: number;
  /** Given, a peer is also talked to when its certificate is over, if this says that it is the last one it was given. */
  readonly isCurrent?: (serial: string) => boolean;
}

interface ElderRequest {
  readonly method: 'GET' | 'PUT';
  readonly path: string;
  readonly body?: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** A kept connection had ended before the request on it was seen. */
class StaleConnection extends Error {}

const maxAnswerBytes = 1_048_576;

/** Speaks HTTPS with mutual TLS to one process of one elder, over connections that are kept. */
export class ElderClient {
  readonly #options: ElderClientOptions;
  readonly #unsubscribe: () => void;
  #agent: Agent;
  #agentSince = 0;
  /** Requests under way, by the agent whose connections they use. */
  readonly #underWay = new Map<Agent, number>();

  constructor(options: ElderClientOptions) {
    this.#options = options;
    this.#agent = this.#makeAgent();
    const { credentials } = options;
    const leave = [
      credentials.onReplace(() => this.#replaceAgent()),
      credentials.onTrust((trust) =>
        this.#cutConnections((certificate) => trust.isRevoked(certificate.serialNumber)),
      ),
    ];
    this.#unsubscribe = () => {
      for (const each of leave) each();
    };
  }

  /** Sends a request and reads the answer. Rejects with `timed_out`, `not_healthy` (no connection) or `denied` (wrong peer). */
  async request(options: ElderRequest): Promise<{ status: number; body: string }> {
    const { connectionAgeMs = Infinity } = this.#options;
    if (performance.now() - this.#agentSince > connectionAgeMs) this.#replaceAgent();
    const agent = this.#agent;
    this.#underWay.set(agent, (this.#underWay.get(agent) ?? 0) + 1);
    try {
      return await this.#send(agent, options);
    } catch (error) {
      // The peer ended a kept connection, by its age, just when it was to be used again: it has seen nothing.
      if (!(error instanceof StaleConnection)) throw error;
      return await this.#send(agent, options);
    } finally {
      const rest = (this.#underWay.get(agent) ?? 1) - 1;
      this.#underWay.set(agent, rest);
      this.#endIfRetired(agent);
    }
  }

  #send(agent: Agent, options: ElderRequest): Promise<{ status: number; body: string }> {
    const { name, host, port } = this.#options;
    const timeout = AbortSignal.timeout(options.timeoutMs);
    const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>();
    const fail = (error: Error) => {
      if (timeout.aborted)
        reject(new ElderError('timed_out', `${name} did not answer in ${options.timeoutMs} ms`));
      else if (error instanceof ElderError) reject(error);
      else if (sent.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET') {
        reject(new StaleConnection(error.message));
      } else reject(new ElderError('not_healthy', `${name}: ${error.message}`, { cause: error }));
    };
    const headers = options.body === undefined ? {} : { 'content-type': 'application/json' };
    const { method, path } = options;
    const target = { host: connectAddress(host), port, agent };
    const sent = request({ ...target, method, path, headers, signal }, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > maxAnswerBytes) sent.destroy(new Error(`answer of more than ${maxAnswerBytes} bytes`));
        else chunks.push(chunk);
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
      );
      response.on('error', fail);
    });
    sent.on('error', fail);
    // A request whose connection does not come about tells nothing of its end.
    signal.addEventListener('abort', () => fail(signal.reason as Error), { once: true });
    sent.end(options.body);
    return promise;
  }

  /** Ends its connections; requests under way reject. */
  close(): void {
    this.#unsubscribe();
    this.#agent.destroy();
    for (const agent of this.#underWay.keys()) agent.destroy();
  }

  #replaceAgent(): void {
    const old = this.#agent;
    this.#agent = this.#makeAgent();
    this.#endIfRetired(old);
  }

  #endIfRetired(agent: Agent): void {
    if ((this.#underWay.get(agent) ?? 0) > 0) return;
    this.#underWay.delete(agent);
    if (agent !== this.#agent) agent.destroy();
  }

  /** Ends every connection to a peer whose certificate is taken back, whatever is under way on it. */
  #cutConnections(isRevoked: (certificate: X509Certificate) => boolean): void {
    for (const agent of new Set([this.#agent, ...this.#underWay.keys()])) {
      for (const sockets of [...Object.values(agent.sockets), ...Object.values(agent.freeSockets)]) {
        for (const socket of [...(sockets ?? [])]) {
          const certificate = (socket as TLSSocket).getPeerX509Certificate?.();
          if (certificate && isRevoked(certificate)) {
            socket.destroy(new ElderError('denied', `the certificate of ${this.#options.name} was revoked`));
          }
        }
      }
    }
  }

  #makeAgent(): Agent {
    const { credentials, tree, name, isCurrent } = this.#options;
    this.#agentSince = performance.now();
    const options = { ...credentials.current(), tree, expect: name };
    const kept = { keepAlive: true, maxSockets: 2 };
    if (isCurrent === undefined) return peerAgent(options, kept);
    return new LenientAgent({ credentials, tree, expect: name, isCurrent }, kept);
  }
}

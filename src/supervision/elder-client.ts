import { type Agent, request } from 'node:https';
import type { Credentials } from '../identity/credentials.ts';
import { peerAgent } from '../identity/tls.ts';
import { ElderError } from '../protocol/errors.ts';
import { connectAddress } from './listen-address.ts';

interface ElderClientOptions {
  readonly credentials: Credentials;
  readonly tree: string;
  /** Who must answer; anybody else is refused. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

interface ElderRequest {
  readonly method: 'GET' | 'PUT';
  readonly path: string;
  readonly body?: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

const maxAnswerBytes = 1_048_576;

/** Speaks HTTPS with mutual TLS to one process of one elder, over connections that are kept. */
export class ElderClient {
  readonly #options: ElderClientOptions;
  readonly #unsubscribe: () => void;
  #agent: Agent;

  constructor(options: ElderClientOptions) {
    this.#options = options;
    this.#agent = this.#makeAgent();
    this.#unsubscribe = options.credentials.onReplace(() => {
      const old = this.#agent;
      this.#agent = this.#makeAgent();
      old.destroy();
    });
  }

  /** Sends a request and reads the answer. Rejects with `timed_out`, `not_healthy` (no connection) or `denied` (wrong peer). */
  request(options: ElderRequest): Promise<{ status: number; body: string }> {
    const { name, host, port } = this.#options;
    const timeout = AbortSignal.timeout(options.timeoutMs);
    const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>();
    const fail = (error: Error) => {
      if (timeout.aborted)
        reject(new ElderError('timed_out', `${name} did not answer in ${options.timeoutMs} ms`));
      else if (error instanceof ElderError) reject(error);
      else reject(new ElderError('not_healthy', `${name}: ${error.message}`, { cause: error }));
    };
    const headers = options.body === undefined ? {} : { 'content-type': 'application/json' };
    const { method, path } = options;
    const target = { host: connectAddress(host), port, agent: this.#agent };
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
    sent.end(options.body);
    return promise;
  }

  /** Ends its connections; requests under way reject. */
  close(): void {
    this.#unsubscribe();
    this.#agent.destroy();
  }

  #makeAgent(): Agent {
    const { credentials, tree, name } = this.#options;
    const options = { ...credentials.current(), tree, expect: name };
    return peerAgent(options, { keepAlive: true, maxSockets: 2 });
  }
}

import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { ErrorReply, RespParser } from './resp-parser.ts';

const keepAliveMs = 5_000;

interface Pending {
  resolve(reply: unknown): void;
  reject(error: unknown): void;
}

/** Encodes one command. */
function encode(args: readonly string[]): string {
  let text = `*${args.length}\r\n`;
  for (const arg of args) text += `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`;
  return text;
}

/**
 * One TLS connection to Redis, from its making to its end. It keeps nothing back and sends nothing twice: when
 * it ends, whatever had no answer yet rejects.
 */
export class RespClient {
  readonly #socket: TLSSocket;
  readonly #onEnd: (cause: Error) => void;
  readonly #parser = new RespParser((reply) => this.#take(reply));
  /** In the order of their commands, from `#answered` on. */
  #pending: Pending[] = [];
  #answered = 0;
  #listener: ((event: string) => void) | null = null;
  #ended: Error | null = null;
  #retired = false;
  /** Whether what is sent is held until this turn of the event loop is over. */
  #gathers = false;
  readonly #proved = Promise.withResolvers<void>();

  /** Begins to connect; `onEnd` is told once why the connection ended or could not be made. */
  constructor(options: ConnectionOptions, onEnd: (cause: Error) => void) {
    this.#onEnd = onEnd;
    this.#socket = connect(options);
    this.#socket.setNoDelay(true);
    this.#socket.setKeepAlive(true, keepAliveMs);
    this.#proved.promise.catch(() => {});
    this.#socket.on('secureConnect', this.#proved.resolve);
    this.#socket.on('error', (cause) => this.destroy(cause));
    this.#socket.on('close', () => this.destroy());
    this.#socket.on('data', (chunk: Buffer) => {
      try {
        this.#parser.feed(chunk);
      } catch (cause) {
        this.destroy(cause as Error);
      }
    });
  }

  get ended(): boolean {
    return this.#ended !== null;
  }

  /** Resolves once the connection is made, Redis knows the user and carries out commands. Rejects with the `ErrorReply` otherwise. */
  async login(username: string, password: string): Promise<void> {
    // Not before Redis has proved who it is: the socket would send it off with its own part of the handshake.
    await this.#proved.promise;
    const known = this.send(['AUTH', username, password]);
    // Whether it serves is asked without waiting for whether it knows the user: that would be another round trip.
    const serves = this.send(['PING']);
    serves.catch(() => undefined);
    await known;
    await serves;
  }

  /** Sends one command and gives its reply; rejects with an `ErrorReply`, or with why the connection ended. */
  send(args: readonly string[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#ended) return reject(this.#ended);
      this.#pending.push({ resolve, reject });
      this.#gather();
      this.#socket.write(encode(args));
    });
  }

  /** Has what is sent at the same time go out as one: each piece alone costs both ends an encryption and a call of the system. */
  #gather(): void {
    if (this.#gathers) return;
    this.#gathers = true;
    this.#socket.cork();
    process.nextTick(() => {
      this.#gathers = false;
      this.#socket.uncork();
    });
  }

  /** Listens to a channel for as long as the connection lives; nothing but PING can be sent then. */
  async subscribe(channel: string, listener: (event: string) => void): Promise<void> {
    this.#listener = listener;
    await this.send(['SUBSCRIBE', channel]);
  }

  /** Ends the connection as soon as everything that was sent is answered; nothing may be sent any more. */
  retire(): void {
    this.#retired = true;
    if (this.#pending.length === 0) this.destroy(new Error('the connection was replaced'));
  }

  /** Ends the connection at once. */
  destroy(cause: Error = new Error('the connection was closed')): void {
    if (this.#ended) return;
    this.#ended = cause;
    this.#socket.destroy();
    this.#proved.reject(cause);
    this.#onEnd(cause);
    for (const { reject } of this.#pending.slice(this.#answered)) reject(cause);
    this.#pending = [];
  }

  #take(reply: unknown): void {
    if (this.#listener && Array.isArray(reply) && reply[0] === 'message') {
      this.#listener(String(reply[2]));
      return;
    }
    const pending = this.#pending[this.#answered];
    if (!pending) throw new Error('an answer to nothing that was asked');
    this.#answered += 1;
    if (this.#answered === this.#pending.length) {
      this.#pending = [];
      this.#answered = 0;
    }
    if (reply instanceof ErrorReply) pending.reject(reply);
    else pending.resolve(reply);
    if (this.#retired && this.#pending.length === 0) this.retire();
  }
}

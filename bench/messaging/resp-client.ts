import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { clientTls } from '../../src/identity/tls.ts';
import { RespParser } from '../../src/messaging/redis/resp-parser.ts';
import type { EndpointConfig } from './endpoint.ts';

type Reply = string | number | null | Error | Reply[];

/** Opens a TLS connection as the elders do: own certificate shown, the name of Redis checked. */
export function redisTls({ tls, tree, redis }: Pick<EndpointConfig, 'tls' | 'tree' | 'redis'>) {
  return clientTls({ certificate: tls.cert, key: tls.key, ca: redis.ca ?? tls.ca, tree, expect: 'redis' });
}

/** Encodes one command. */
export function encodeCommand(args: readonly string[]): string {
  let text = `*${args.length}\r\n`;
  for (const arg of args) text += `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`;
  return text;
}

/** A client with nothing that could be left out: commands out as given, replies in order, no retries, no checks. */
export class RespClient {
  readonly #socket: TLSSocket;
  readonly #waiting: ((reply: Reply) => void)[] = [];
  #head = 0;

  private constructor(socket: TLSSocket) {
    this.#socket = socket;
    const parser = new RespParser((reply) => this.#take(reply));
    socket.on('data', (chunk: Buffer) => parser.feed(chunk));
  }

  static async open(config: EndpointConfig): Promise<RespClient> {
    const { host, port } = config.redis;
    const socket = connect({ host, port, ...redisTls(config) });
    await once(socket, 'secureConnect');
    socket.setNoDelay(true);
    const client = new RespClient(socket);
    await client.call(['AUTH', config.credential.username, config.credential.password]);
    return client;
  }

  /** Sends one command and gives its reply; throws what Redis answers as an error. */
  async call(args: readonly string[]): Promise<Reply> {
    const [reply = null] = await this.pipeline(encodeCommand(args), 1);
    return reply;
  }

  /** Sends so many encoded commands in one write and gives their replies. Throws the first error. */
  pipeline(encoded: string, count: number): Promise<Reply[]> {
    return new Promise((resolve, reject) => {
      const replies: Reply[] = [];
      const take = (reply: Reply) => {
        replies.push(reply);
        if (replies.length < count) return;
        const error = replies.find((each) => each instanceof Error);
        if (error) reject(error);
        else resolve(replies);
      };
      for (let index = 0; index < count; index += 1) this.#waiting.push(take);
      // What is asked for in one go leaves in one write.
      if (this.#socket.writableCorked === 0) {
        this.#socket.cork();
        process.nextTick(() => this.#socket.uncork());
      }
      this.#socket.write(encoded);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(reply: unknown): void {
    this.#waiting[this.#head]?.(reply as Reply);
    this.#head += 1;
    if (this.#head < 4_096) return;
    this.#waiting.splice(0, this.#head);
    this.#head = 0;
  }
}

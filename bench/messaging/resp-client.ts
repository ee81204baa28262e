import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { clientTls } from '../../src/identity/tls.ts';
import type { EndpointConfig } from './endpoint.ts';

type Reply = string | number | null | Error | Reply[];

/** Opens a TLS connection as the elders do: own certificate shown, the name of Redis checked. */
export function redisTls({ tls, tree, redis }: Pick<EndpointConfig, 'tls' | 'tree' | 'redis'>) {
  return clientTls({ certificate: tls.cert, key: tls.key, ca: redis.ca, tree, expect: 'redis' });
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
  #rest: Buffer = Buffer.alloc(0);

  private constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
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
      this.#socket.write(encoded);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    const data = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    const cursor = { at: 0 };
    let done = 0;
    for (;;) {
      const reply = parse(data, cursor);
      if (reply === undefined) break;
      done = cursor.at;
      this.#waiting[this.#head]?.(reply);
      this.#head += 1;
    }
    if (this.#head > 4_096) {
      this.#waiting.splice(0, this.#head);
      this.#head = 0;
    }
    this.#rest = data.subarray(done);
  }
}

/** Parses one reply at the cursor; `undefined` when it is not all there yet. */
function parse(data: Buffer, cursor: { at: number }): Reply | undefined {
  const end = data.indexOf(13, cursor.at);
  if (end < 0 || end + 1 >= data.length) return undefined;
  const kind = data[cursor.at];
  const line = data.toString('latin1', cursor.at + 1, end);
  const body = end + 2;
  if (kind === 36) {
    const length = Number(line);
    if (length < 0) {
      cursor.at = body;
      return null;
    }
    if (data.length < body + length + 2) return undefined;
    cursor.at = body + length + 2;
    return data.toString('utf8', body, body + length);
  }
  cursor.at = body;
  if (kind === 43) return line;
  if (kind === 58) return Number(line);
  if (kind === 45) return new Error(line);
  const length = Number(line);
  if (length < 0) return null;
  const items: Reply[] = [];
  for (let index = 0; index < length; index += 1) {
    const item = parse(data, cursor);
    if (item === undefined) return undefined;
    items.push(item);
  }
  return items;
}

import { once } from 'node:events';
import { createServer, type Server } from 'node:tls';
import type { Credentials } from '../../identity/credentials.ts';
import { serverTls } from '../../identity/tls.ts';
import { encodeParts } from '../../messaging/codec.ts';
import { packed } from '../../messaging/packing.ts';
import { RespParser } from '../../messaging/redis/resp-parser.ts';
import { treeKeys } from '../../protocol/keys.ts';
import type { ElderMessage } from '../../protocol/message.ts';

/** So many questions are asked, one after another; with the first one everything is loaded, with the next compiled. */
const questions = 3;
const asker = 'grand_elder';

interface StandIn {
  readonly server: Server;
  /** Resolves when the elder has answered all that it was asked. */
  readonly answered: Promise<void>;
}

/** Opens what answers as Redis does to an elder of that name that is new and is asked a few times who it is. */
export async function standInRedis(options: {
  readonly host: string;
  readonly tree: string;
  readonly name: string;
  readonly credentials: Credentials;
  readonly closing: (() => void)[];
}): Promise<StandIn> {
  const { host, tree, name, credentials, closing } = options;
  const stream = treeKeys(tree).edge(name, asker, 'normal');
  const answered = Promise.withResolvers<void>();
  let asked = 0;
  const answerTo = (command: readonly string[]): string | null => {
    const [verb = ''] = command;
    if (verb !== 'XREAD') {
      if (verb === 'FCALL' && asked === questions && command.some((text) => text.includes('reply.result'))) {
        answered.resolve();
      }
      return answers[verb] ?? '+OK\r\n';
    }
    if (!command.includes('BLOCK')) return nothing;
    // A blocking read of anything else waits for ever, and so does one behind the last question.
    if (!command.includes(stream) || asked === questions) return null;
    asked += 1;
    return reply([[stream, [[`${asked}-1`, question(name, asked)]]]]);
  };
  const server = createServer(serverTls(credentials.current()), (socket) => {
    closing.push(() => socket.destroy());
    socket.on('error', () => undefined);
    const parser = new RespParser((command) => {
      const answer = answerTo((command as unknown[]).map(String));
      if (answer !== null) socket.write(answer);
    });
    socket.on('data', (chunk: Buffer) => parser.feed(chunk));
  });
  server.listen(0, host);
  closing.push(() => server.close());
  await once(server, 'listening');
  return { server, answered: answered.promise };
}

const nothing = '*-1\r\n';
const answers: Readonly<Record<string, string>> = { HGETALL: '*0\r\n', FCALL: '*1\r\n$2\r\nOK\r\n' };

type Reply = string | readonly Reply[];

function reply(value: Reply): string {
  if (typeof value === 'string') return `$${Buffer.byteLength(value)}\r\n${value}\r\n`;
  return `*${value.length}\r\n${value.map(reply).join('')}`;
}

/** Gives the fields of an entry with one question, the so-many-th. */
function question(target: string, number: number): string[] {
  const id = `rehearsal-${number}`;
  const message: ElderMessage = {
    ...{ message_id: id, correlation_id: id, source_elder: asker, target_elder: target },
    ...{ message_type: 'query', action: 'elder.ping', payload: {}, priority: 5, requires_ack: false },
    timestamp: new Date().toISOString(),
  };
  const lane = 'normal';
  const { count, text } = packed({ target, lane, messages: [{ target, lane, ...encodeParts(message) }] });
  return ['q', String(number), 'n', count, 'm', text];
}

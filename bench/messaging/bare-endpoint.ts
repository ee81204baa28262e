import {
  atRate,
  type Endpoint,
  type EndpointConfig,
  inTurn,
  Latencies,
  stampedBody,
  Tally,
} from './endpoint.ts';
import { encodeCommand, RespClient } from './resp-client.ts';

const names = { there: 'bench:there', back: 'bench:back', group: 'g', consumer: 'c' } as const;
/** Messages in one write, and writes under way at a time: the best found for this client. */
const batch = 256;
const batchesUnderWay = 4;

type StreamReply = [string, [string, string[]][]][];

const addCommand = (stream: string, body: string) => encodeCommand(['XADD', stream, '*', 'm', body]);
const readCommand = (stream: string) =>
  encodeCommand([
    ...['XREADGROUP', 'GROUP', names.group, names.consumer, 'COUNT', String(batch)],
    ...['BLOCK', '1000', 'STREAMS', stream, '>'],
  ]);

const begin = encodeCommand(['MULTI']);
const commit = encodeCommand(['EXEC']);

/** The bare limit: XADD, XREADGROUP, XACK, XDEL and nothing else. */
export async function openBare(config: EndpointConfig): Promise<Endpoint> {
  const writer = await RespClient.open(config);
  const reader = await RespClient.open(config);
  const latencies = new Latencies();
  const tally = new Tally();
  const own = config.side === 'sender' ? names.back : names.there;
  const questions: (() => void)[] = [];
  await writer.call(['XGROUP', 'CREATE', own, names.group, '0', 'MKSTREAM']);
  let closed = false;

  function act(body: string): void {
    if (config.side === 'sender') questions.shift()?.();
    else if (body.startsWith('?')) void writer.call(['XADD', names.back, '*', 'm', body]);
    else latencies.note(body);
  }

  // The acknowledgement of one batch travels with the read of the next, and counts as soon as it is answered.
  async function consume(): Promise<void> {
    let read = reader.pipeline(readCommand(own), 1);
    while (!closed) {
      const [reply] = await read;
      const entries = ((reply ?? []) as StreamReply).flatMap(([, items]) => items);
      const ids = entries.map(([id]) => id);
      if (ids.length > 0) {
        const settle =
          encodeCommand(['XACK', own, names.group, ...ids]) + encodeCommand(['XDEL', own, ...ids]);
        void reader.pipeline(settle, 2).then(() => tally.add(ids.length));
      }
      read = reader.pipeline(readCommand(own), 1);
      for (const [, fields] of entries) act(fields[1] ?? '');
    }
  }
  const consuming = consume().catch((error) => {
    if (!closed) throw error;
  });

  return {
    async send({ count, size }) {
      const body = stampedBody(size, false);
      let left = count;
      const sendOn = async () => {
        while (left > 0) {
          const part = Math.min(batch, left);
          left -= part;
          // As one transaction: Redis takes 16 KB at a time off a TLS connection and would call fsync after each.
          const encoded = begin + addCommand(names.there, body).repeat(part) + commit;
          await writer.pipeline(encoded, part + 2);
        }
      };
      await Promise.all(Array.from({ length: batchesUnderWay }, sendOn));
    },
    pace: (order) =>
      atRate(order, (count) => {
        const command = addCommand(names.there, stampedBody(order.size, true));
        void writer.pipeline(command.repeat(count), count);
      }),
    receive: ({ count }) => tally.more(count),
    takeLatencies: async () => latencies.take(),
    ask: (order) =>
      inTurn(order, async () => {
        const { promise, resolve } = Promise.withResolvers<void>();
        questions.push(resolve);
        void writer.call(['XADD', names.there, '*', 'm', `?${'x'.repeat(511)}`]);
        await promise;
      }),
    async close() {
      closed = true;
      await consuming;
      writer.close();
      reader.close();
    },
  };
}

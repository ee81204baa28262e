import { Agent } from '../../src/agents/agent.ts';
import type { Context, Core } from '../../src/agents/core.ts';
import { machineSources } from '../../src/agents/machine-sources.ts';
import { RedisBroker } from '../../src/messaging/redis/redis-broker.ts';
import { defaultConfig } from '../../src/protocol/config.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import {
  atRate,
  type Endpoint,
  type EndpointConfig,
  inTurn,
  Latencies,
  stampedBody,
  Tally,
} from './endpoint.ts';

/** Names under which the two processes of this contestant run: two elders with an edge each way. */
export const elderNames = { sender: 'claude_elder', receiver: 'knowledge_sage' } as const;

/** The elder that every servant writes to. */
export const manyEdgesReader = 'task_sage';

/** Messages that one input of the sender asks its core to send, and inputs under way at a time: together as many as with the bare client. */
const inputLength = 64;
const inputsUnderWay = 16;
/** JSON around the body of a stored piece of knowledge. */
const wrapping = JSON.stringify({ key: 'k', title: 't', body: '', tags: [], directiveId: null }).length;

/** What counts as received once its handling is committed. */
const counted: ReadonlySet<string> = new Set(['sage.knowledge.store', 'report.to_sage.lease_renewed']);

interface Effects {
  readonly count: number;
}

/** Runs one elder as the product does: agent, broker, checks of schema and rights, journal, metrics. */
export async function openElder(config: EndpointConfig): Promise<Endpoint> {
  const name = config.servants === undefined ? elderNames[config.side] : manyEdgesReader;
  const { tree, redis, tls, credential } = config;
  const latencies = new Latencies();
  const tally = new Tally();
  const answers = new Map<number, () => void>();
  const core = config.side === 'sender' ? senderCore(answers) : receiverCore(latencies);
  const metrics = createMetrics({ name, role: 'sage' });
  const broker = new RedisBroker({
    tree,
    name,
    incarnation: credential.incarnation,
    endpoint: redis,
    credential,
    tls: () => tls,
    edgeLimit: defaultConfig.messages.edgeLimit,
    retain: defaultConfig.messages.retain,
  });
  const agent = new Agent({
    name,
    incarnation: credential.incarnation,
    pid: process.pid,
    core,
    broker,
    ...machineSources,
    servants: Array.from({ length: config.servants ?? 2 }, (_, index) => `servant_${index + 1}`),
    attempts: defaultConfig.messages.attempts,
    log: {
      info: () => {},
      warn: (fields, text) => void process.stderr.write(`${text} ${JSON.stringify(fields)}\n`),
    },
    observer: {
      onHandled: (action, outcome, waitedMs) => {
        metrics.messageHandled(action as 'elder.ping', outcome === 'retry' ? 'retried' : outcome);
        metrics.readToCommit(waitedMs / 1_000);
        if (outcome === 'acted' && counted.has(action)) tally.add(1);
      },
      onCommit: (tookMs, handled) => {
        metrics.committed('ok', tookMs / 1_000, handled);
      },
    },
  });
  await agent.start();
  const ended = agent.run();
  ended.catch((error) => {
    process.stderr.write(`${name}: ${error}\n`);
    process.exit(1);
  });
  let asked = 0;

  return {
    async send({ count, size }) {
      let left = count;
      const sendOn = async () => {
        while (left > 0) {
          const part = Math.min(inputLength, left);
          left -= part;
          await agent.input({ kind: 'send', count: part, size, stamped: false });
        }
      };
      await Promise.all(Array.from({ length: inputsUnderWay }, sendOn));
    },
    pace: (order) =>
      atRate(order, (count) => {
        void agent.input({ kind: 'send', count, size: order.size, stamped: true });
      }),
    receive: ({ count }) => tally.more(count),
    takeLatencies: async () => latencies.take(),
    ask: (order) =>
      inTurn(order, () => {
        const { promise, resolve } = Promise.withResolvers<void>();
        asked += 1;
        answers.set(asked, resolve);
        void agent.input({ kind: 'ask', number: asked });
        return promise;
      }),
    async close() {
      agent.stop();
      await ended;
      await broker.close();
    },
  };
}

function senderCore(answers: Map<number, () => void>): Core {
  return {
    handlers: {},
    continuations: {
      answered: (_, answer, data) => {
        if (!answer.ok) throw new Error(answer.error.reason);
        answers.get(Number(data))?.();
        answers.delete(Number(data));
      },
    },
    onInput(ctx, input) {
      if (input.kind === 'send') return sendSome(ctx, input as unknown as SendInput);
      const query = stampedBody(512 - JSON.stringify({ query: '', limit: 5 }).length, false);
      ctx.ask(
        elderNames.receiver,
        'sage.knowledge.search',
        { query, limit: 5 },
        { deadlineMs: 30_000, then: 'answered', data: Number(input.number) },
      );
    },
  };
}

interface SendInput {
  readonly count: number;
  readonly size: number;
  readonly stamped: boolean;
}

function sendSome(ctx: Context, { count, size, stamped }: SendInput): void {
  const body = stampedBody(size - wrapping, stamped);
  for (let index = 0; index < count; index += 1) {
    ctx.send(elderNames.receiver, 'sage.knowledge.store', {
      key: 'k',
      title: 't',
      body,
      tags: [],
      directiveId: null,
    });
  }
}

function countEffect(ctx: Context): void {
  // The effect: a row that counts exactly those messages whose handling was committed.
  const effects = ctx.table<Effects>('effects');
  effects.put('count', { count: (effects.get('count')?.count ?? 0) + 1 });
}

function receiverCore(latencies: Latencies): Core {
  return {
    handlers: {
      'report.to_sage.lease_renewed': (ctx, { payload }) => {
        latencies.note(payload.lease);
        countEffect(ctx);
      },
      'sage.knowledge.store': (ctx, { payload }) => {
        latencies.note(payload.body);
        countEffect(ctx);
      },
      'sage.knowledge.search': (_, { payload }) => ({
        entries: [
          {
            id: 'k',
            title: 't',
            body: payload.query.slice(0, 350),
            tags: [],
            kind: 'lesson',
            source: 's',
            confidence: null,
            derived: false,
            links: { directives: [], tasks: [], incidents: [] },
            expiresAt: null,
            supersededBy: null,
            version: 1,
            state: 'current',
            createdAt: 1,
            updatedAt: 1,
            by: 's',
            similar: [],
            supersedes: [],
            score: 1,
            startLine: 1,
            endLine: 1,
            headings: [],
            snippet: '',
            highlights: [],
          },
        ],
      }),
    },
  };
}

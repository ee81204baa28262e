import { Incarnation } from '../../simulation/incarnation.ts';
import { linesOf } from '../../simulation/journals.ts';
import { VirtualClock } from '../../simulation/virtual-clock.ts';
import { Agent } from '../../src/agents/agent.ts';
import type { AgentOptions } from '../../src/agents/agent-options.ts';
import type { Core } from '../../src/agents/core.ts';
import { messageText } from '../../src/messaging/codec.ts';
import { MemoryBroker, type Schedule } from '../../src/messaging/memory/memory-broker.ts';
import { MemoryStore } from '../../src/messaging/memory/memory-store.ts';
import { type Action, actionSpec, isAction, type PayloadInput } from '../../src/protocol/actions.ts';
import { edgeKey } from '../../src/protocol/keys.ts';
import { type Lane, laneOf, lanes } from '../../src/protocol/lanes.ts';
import type { JournalLine } from '../../src/protocol/local-api.ts';
import { type ElderMessage, elderMessage } from '../../src/protocol/message.ts';

type Options = Partial<Pick<AgentOptions, 'attempts' | 'perform' | 'servants' | 'observer'>> & {
  schedule?: Schedule;
};

/** An agent that lives in a `MemoryTree`. */
export interface Life {
  readonly agent: Agent;
  /** How `run` ended; pending while it lives. */
  readonly ended: Promise<unknown>;
  /** Ends it between two lines, as `kill -9` does. */
  kill(): void;
}

/** Agents on one in-memory store with a clock that stands still: what an elder does, without a process. */
export class MemoryTree {
  readonly clock = new VirtualClock();
  readonly store: MemoryStore;
  readonly warnings: string[] = [];
  readonly #edgeLimit: number;
  #ids = 0;

  constructor(edgeLimit = 10_000) {
    this.#edgeLimit = edgeLimit;
    this.store = new MemoryStore({ clock: this.clock, edgeLimit, retain: 10_000 });
  }

  /** Starts the next incarnation of an elder and lets it work. */
  async start(name: string, core: Core, options: Options = {}): Promise<Life> {
    const incarnation = new Incarnation(name, this.store.incarnationOf(name) + 1, this.clock);
    this.store.setIncarnation(name, incarnation.number);
    const { schedule: wanted, ...rest } = options;
    const usual: Schedule = (_, run) => queueMicrotask(() => run());
    const schedule: Schedule = (operation, run) => {
      if (incarnation.alive) (wanted ?? usual)(operation, (fault) => incarnation.alive && run(fault));
    };
    const { clock, number } = incarnation;
    const broker = new MemoryBroker({ store: this.store, name, incarnation: number, clock, schedule });
    const agent = new Agent({
      name,
      incarnation: number,
      pid: 1,
      core,
      broker,
      clock,
      random: () => 0.5,
      newId: () => this.newId(),
      servants: ['servant_1', 'servant_2'],
      attempts: 3,
      edgeLimit: this.#edgeLimit,
      log: { info: () => {}, warn: (_, text) => void this.warnings.push(text) },
      ...rest,
    });
    // A core whose schedule holds the start back is started as soon as the test lets it.
    const ended = agent.start().then(() => agent.run());
    ended.catch(() => {});
    await this.clock.settle();
    return { agent, ended, kill: () => incarnation.end() };
  }

  newId(): string {
    this.#ids += 1;
    return `id-${this.#ids}`;
  }

  /** Makes a complete message. */
  message<A extends Action>(
    source: string,
    target: string,
    action: A,
    payload: PayloadInput<A>,
    changes: Partial<ElderMessage> = {},
  ): ElderMessage {
    return {
      message_id: this.newId(),
      source_elder: source,
      target_elder: target,
      message_type: actionSpec(action).type,
      payload: payload as ElderMessage['payload'],
      priority: 5,
      timestamp: new Date(this.clock.now()).toISOString(),
      requires_ack: false,
      action,
      hops: 0,
      ...changes,
    };
  }

  /** Puts messages into their edges as their sources would, all at once, then lets happen what follows. */
  async send(...messages: ElderMessage[]): Promise<void> {
    for (const message of messages) {
      const { action } = message;
      const own = action !== undefined && isAction(action) ? actionSpec(action).lane : undefined;
      const lane = own ?? laneOf(message.message_type, message.priority);
      this.sendRaw(message.source_elder, message.target_elder, JSON.stringify(message), lane);
    }
    await this.clock.settle();
  }

  /** Puts any text into an edge. */
  sendRaw(source: string, target: string, body: string, lane: Lane = 'normal'): void {
    const { commitNumber } = this.store.snapshot(source);
    this.store.applyRest(source, this.store.incarnationOf(source), {
      number: commitNumber + 1,
      set: new Map(),
      remove: new Set(),
      positions: new Map(),
      send: [{ target, lane, body }],
      journal: null,
    });
  }

  /** What one elder has sent to another, lane after lane. */
  sent(source: string, target: string): ElderMessage[] {
    return lanes.flatMap((lane) =>
      this.store
        .edgeOf(target, source, lane)
        .map((entry) => elderMessage.parse(JSON.parse(messageText(entry)))),
    );
  }

  /** What one elder has sent to another with one action. */
  sentAs(source: string, target: string, action: Action): ElderMessage[] {
    return this.sent(source, target).filter((message) => message.action === action);
  }

  /** The rows of one table of an elder. */
  rows<Row>(name: string, table: string): Row[] {
    return [...this.store.snapshot(name).fields]
      .filter(([field]) => field.startsWith(`${table}/`))
      .map(([, text]) => JSON.parse(text) as Row);
  }

  /** What an elder's journal says, in its order. */
  journal(name: string): JournalLine[] {
    return this.store.journalOf(name).flatMap((entry) => linesOf(this.store, name, entry));
  }

  /** How many messages of an edge are handled. */
  handled(target: string, source: string, lane: Lane = 'normal'): number {
    return this.store.snapshot(target).positions.get(edgeKey(source, lane))?.sequence ?? 0;
  }
}

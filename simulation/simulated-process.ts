import { Agent } from '../src/agents/agent.ts';
import type { CommitNote } from '../src/agents/agent-options.ts';
import type { Core } from '../src/agents/core.ts';
import type { Broker } from '../src/messaging/broker.ts';
import type { Clock } from '../src/messaging/clock.ts';
import { deadLetterPrefix, replayPrefix } from '../src/messaging/dead-letters.ts';
import { MemoryBroker } from '../src/messaging/memory/memory-broker.ts';
import type { Config } from '../src/protocol/config.ts';
import { ElderError } from '../src/protocol/errors.ts';
import { isServant } from '../src/protocol/roster.ts';
import type { DurableStore, LostCommit } from './durable-store.ts';
import type { Executions } from './executions.ts';
import { SimulatedExecutor } from './executor.ts';
import type { Climate } from './faults.ts';
import { faultyCore } from './faulty-core.ts';
import { brokerWithout, coreWithout, type GuardName } from './guards.ts';
import { Incarnation } from './incarnation.ts';
import type { Network } from './network.ts';
import type { Poison } from './poison.ts';
import type { Random } from './random.ts';
import { SlowBroker } from './slow-broker.ts';
import type { Trace } from './trace.ts';

/** What every simulated process lives in. */
export interface Surroundings {
  readonly clock: Clock;
  /** When the run began (ms since the epoch). */
  readonly startedAt: number;
  readonly random: Random;
  readonly trace: Trace;
  readonly store: DurableStore;
  readonly climate: Climate;
  readonly network: Network;
  readonly executions: Executions;
  readonly poison: Poison;
  readonly config: Config;
  readonly servants: readonly string[];
  readonly guardOff: GuardName | null;
  readonly newId: () => string;
  /** What the host keeps of each principal's commits, whatever becomes of its process and of the store. */
  readonly notes: Map<string, number>;
  /** Told of a commit that is lost though it was acknowledged. */
  readonly onLostCommit: (commit: LostCommit) => void;
  /** Told that the store holds less than it did. */
  readonly onLoss: (name: string, reason: string) => void;
  /** Told what the gateway hands to the human. */
  readonly onAnswer: (effect: { readonly key: string; readonly answer: unknown }) => void;
}

const startRetryMs = 500;

/** One incarnation of one elder's process, with the gateway in the grand elder's. */
export class SimulatedProcess {
  readonly incarnation: Incarnation;
  readonly #around: Surroundings;
  readonly #agents = new Map<string, Agent>();
  readonly #executor: SimulatedExecutor | null;
  readonly #onEnd: (process: SimulatedProcess, reason: string) => void;

  constructor(
    name: string,
    number: number,
    options: { around: Surroundings; onEnd: (process: SimulatedProcess, reason: string) => void },
  ) {
    const { around, onEnd } = options;
    this.#around = around;
    this.#onEnd = onEnd;
    this.incarnation = new Incarnation(name, number, around.clock);
    this.#executor = isServant(name)
      ? new SimulatedExecutor({
          incarnation: this.incarnation,
          executions: around.executions,
          host: around.clock,
          random: around.random,
          killGraceMs: around.config.tasks.killGrace,
          reaps: around.guardOff !== 'reaping',
        })
      : null;
    for (const principal of this.principals) {
      this.#agents.set(principal, this.#makeAgent(principal));
    }
  }

  get name(): string {
    return this.incarnation.name;
  }

  get principals(): readonly string[] {
    return this.name === 'grand_elder' ? ['grand_elder', 'gateway'] : [this.name];
  }

  agent(principal: string): Agent | undefined {
    return this.incarnation.alive ? this.#agents.get(principal) : undefined;
  }

  /** Fences the predecessor off and starts to live. */
  start(): void {
    for (const principal of this.principals) {
      this.#around.store.setIncarnation(principal, this.incarnation.number);
    }
    const lives = [...this.#agents].map(([principal, agent]) => this.#live(principal, agent));
    Promise.all(lives).then(
      () => this.crash('has stopped'),
      (error) => this.crash(`ends: ${error}`),
    );
  }

  /** Ends it at once. */
  crash(reason: string): void {
    if (!this.incarnation.alive) return;
    this.#around.trace.note(`${this.incarnation} ${reason}`);
    this.incarnation.end();
    this.#executor?.abandon();
    this.#onEnd(this, reason);
  }

  /** Has it finish what it can within `ms`, then stop. */
  async drain(ms: number): Promise<void> {
    this.#around.trace.note(`${this.incarnation} drains`);
    const agents = [...this.#agents.values()];
    await Promise.all(agents.map((agent) => agent.drain(ms).catch(() => {})));
    for (const agent of agents) agent.stop();
  }

  async #live(principal: string, agent: Agent): Promise<void> {
    for (;;) {
      try {
        await agent.start();
        break;
      } catch (error) {
        if (!(error instanceof Error) || !error.message.startsWith('redis_unreachable')) throw error;
        await new Promise<void>((resolve) => this.incarnation.clock.setTimer(startRetryMs, resolve));
      }
    }
    await agent.run().catch((error) => {
      const isLoss = error instanceof ElderError && error.code === 'data_lost';
      if (isLoss && this.incarnation.alive) this.#around.onLoss(principal, error.reason);
      throw error;
    });
  }

  #makeAgent(principal: string): Agent {
    const { trace, random, climate, servants, newId, onAnswer, onLoss } = this.#around;
    const warn = (fields: object, text: string) =>
      trace.note(`${this.incarnation} warns: ${text} ${JSON.stringify(fields)}`);
    return new Agent({
      name: principal,
      incarnation: this.incarnation.number,
      pid: this.incarnation.number,
      core: this.#coreOf(principal),
      broker: this.#brokerOf(principal),
      clock: this.incarnation.clock,
      random: () => random.next(),
      newId,
      servants,
      attempts: climate.attempts,
      edgeLimit: climate.edgeLimit,
      note: this.#noteOf(principal),
      observer: { onDataLost: (reason) => onLoss(principal, reason) },
      log: { info: () => {}, warn },
      perform: (effect, agent) => {
        if (effect.kind === 'answered') onAnswer(effect as unknown as { key: string; answer: unknown });
        else this.#executor?.perform(effect, agent);
      },
    });
  }

  #noteOf(principal: string): CommitNote {
    const { notes, guardOff } = this.#around;
    return {
      read: () => (guardOff === 'loss_detection' ? 0 : (notes.get(principal) ?? 0)),
      write: (number) => void notes.set(principal, number),
    };
  }

  #coreOf(principal: string): Core {
    const { config, guardOff, random, climate, clock, poison, store } = this.#around;
    const untilMs = climate.untilMs + this.#around.startedAt;
    const fails = () => clock.now() < untilMs && random.chance(climate.handlerFault);
    const trespasses = () => clock.now() < untilMs && random.chance(climate.trespass);
    const dieOf = (messageId: string) => {
      const kills = poison.kills(messageId, () => {
        const { fields } = store.snapshot(principal);
        return [deadLetterPrefix, replayPrefix].some((prefix) => fields.has(`${prefix}${messageId}`));
      });
      if (kills) this.crash(`dies of ${messageId}`);
      return kills;
    };
    return faultyCore(coreWithout(guardOff, principal, config), { fails, trespasses, dieOf });
  }

  #brokerOf(principal: string): Broker {
    const { store, network, guardOff, onLostCommit } = this.#around;
    const { clock, number } = this.incarnation;
    const schedule = network.scheduleFor(this.incarnation);
    const inner = new MemoryBroker({ store, name: principal, incarnation: number, clock, schedule });
    const slow = (broker: Broker) =>
      new SlowBroker({
        inner: broker,
        name: principal,
        clock,
        store,
        delay: () => network.delay(),
        onLost: (commit) => onLostCommit({ name: principal, incarnation: number, number: commit }),
      });
    return brokerWithout(guardOff, { store, name: principal, inner, slow });
  }
}

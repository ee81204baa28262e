import { startTcpProxy, type TcpProxy } from '../test/support/tcp-proxy.ts';
import type { ChaosRedis } from './chaos-redis.ts';
import type { ElderOrder, FromElder } from './child-protocol.ts';
import { ElderProcess, type Ending } from './elder-process.ts';
import { servantCount } from './topology.ts';

export interface SlotOptions {
  readonly name: string;
  readonly redis: ChaosRedis;
  readonly evidence: string;
  readonly edgeLimit: number;
  readonly batch: readonly [number, number];
  readonly rate: number | null;
  /** Numbers the processes of a run. */
  readonly nextMaker: () => number;
  readonly onMessage: (message: FromElder, from: ElderProcess) => void;
  /** Told when a process ended that nobody had killed or replaced. */
  readonly onUnexpectedEnd: (name: string, ending: Ending) => void;
}

/**
 * The place of one elder: whoever plays it now, behind a way to Redis that can be cut. A process that ended is
 * replaced at once, as the manager would: its predecessor is fenced before the successor is made.
 */
export class ElderSlot {
  readonly name: string;
  readonly proxy: TcpProxy;
  readonly #options: SlotOptions;
  readonly #tls: ElderOrder['tls'];
  /** Everybody who plays or has played this elder and has not ended. */
  readonly #living = new Set<ElderProcess>();
  #current: ElderProcess | null = null;
  #killed: ElderProcess | null = null;
  #finishing = false;
  #stopping = false;
  #replacing: Promise<ElderProcess> | null = null;

  private constructor(options: SlotOptions, proxy: TcpProxy, tls: ElderOrder['tls']) {
    this.name = options.name;
    this.#options = options;
    this.proxy = proxy;
    this.#tls = tls;
  }

  static async open(options: SlotOptions): Promise<ElderSlot> {
    const { redis, name } = options;
    const proxy = await startTcpProxy(redis.managed.endpoint.port);
    const slot = new ElderSlot(options, proxy, await redis.certificateOf(name));
    await slot.replace();
    return slot;
  }

  /** Whoever plays this elder now. Throws before the first. */
  get current(): ElderProcess {
    if (!this.#current) throw new Error(`nobody plays ${this.name}`);
    return this.#current;
  }

  /** Fences the present process and makes its successor, whether it lives or not. */
  replace(): Promise<ElderProcess> {
    this.#replacing ??= this.#replace().finally(() => {
      this.#replacing = null;
    });
    return this.#replacing;
  }

  async #replace(): Promise<ElderProcess> {
    this.#current = null;
    const { redis, name } = this.#options;
    for (;;) {
      try {
        const credential = await redis.createIncarnation(name);
        return this.#spawn(credential);
      } catch (error) {
        // Redis may be the next victim while this one is being replaced.
        if (!(error instanceof Error) || !error.message.startsWith('redis_unreachable')) throw error;
      }
    }
  }

  #spawn(credential: ElderOrder['credential']): ElderProcess {
    const process = this.revive(credential);
    this.#current = process;
    if (this.#finishing) process.tell({ kind: 'finish' });
    void process.ended.then((ending) => this.#onEnd(process, ending));
    return process;
  }

  #order(credential: ElderOrder['credential']): ElderOrder {
    const { name, redis, evidence, edgeLimit, batch, rate, nextMaker } = this.#options;
    const endpoint = { ...redis.managed.endpoint, port: this.proxy.port };
    const common = { kind: 'order', tree: redis.tree, name, credential, endpoint, tls: this.#tls } as const;
    return {
      ...common,
      maker: nextMaker(),
      evidence,
      servants: servantCount,
      edgeLimit,
      retain: 256,
      batch,
      rate,
    };
  }

  #onEnd(process: ElderProcess, ending: Ending): void {
    if (this.#current !== process || this.#stopping) return;
    if (this.#killed !== process) this.#options.onUnexpectedEnd(this.name, ending);
    void this.replace();
  }

  /** Kills the present process with SIGKILL, if there is one; its successor follows at once. */
  kill(): void {
    this.#killed = this.#current;
    this.#current?.signal('SIGKILL');
  }

  /** Starts a process with this credential, which may be one of the past, without giving it the place. */
  revive(credential: ElderOrder['credential']): ElderProcess {
    const process = new ElderProcess(this.#order(credential), this.#options.onMessage);
    this.#living.add(process);
    void process.ended.then(() => this.#living.delete(process));
    return process;
  }

  /** Makes the producer stop after its present batch, and its successors at once. */
  finish(): void {
    this.#finishing = true;
    this.#current?.tell({ kind: 'finish' });
  }

  /** Ends the process in its own time, at most `deadlineMs`. */
  async stop(deadlineMs: number): Promise<void> {
    this.#stopping = true;
    await this.#replacing;
    const process = this.#current;
    process?.tell({ kind: 'stop' });
    const killAll = () => {
      for (const living of this.#living) living.signal('SIGKILL');
    };
    const killer = setTimeout(killAll, deadlineMs);
    await process?.ended;
    clearTimeout(killer);
    // One that was frozen or revived when the run was broken off.
    killAll();
    await Promise.all([...this.#living].map((living) => living.ended));
    await this.proxy.close();
  }
}

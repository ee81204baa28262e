import { type ChildProcess, fork } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeOptions } from '../../src/cli/launch.ts';
import type { RedisEndpoint } from '../../src/protocol/bootstrap.ts';
import type { TestRedis } from '../../test/support/redis.ts';
import type { ElderOrder, Offered } from './elder.ts';

const program = join(import.meta.dirname, 'elder.ts');

/** Memory of a process in MB: what it holds now, and the most it ever held. */
export function memoryOf(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const megabytes = (field: string) =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1_024;
  return { now: megabytes('VmRSS'), peak: megabytes('VmHWM') };
}

/** One elder in a process of its own that ends at the first unhandled rejection. */
export class PairElder {
  readonly #child: ChildProcess;
  readonly #emitter = new EventEmitter();
  readonly #seen = new Map<string, number>();
  #calls = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#emitter.setMaxListeners(0);
    child.on(
      'message',
      ({ id, event, value, error }: { id?: number; event?: string; value?: unknown; error?: string }) => {
        if (event !== undefined) {
          this.#seen.set(event, this.seen(event) + 1);
          this.#emitter.emit('event');
        } else this.#emitter.emit(`answer:${id}`, value, error);
      },
    );
    child.on('exit', (code, signal) => {
      this.#seen.set(`exit:${signal ?? code}`, 1);
      this.#emitter.emit('event');
    });
  }

  static async start(order: ElderOrder): Promise<PairElder> {
    const elder = new PairElder(
      fork(program, { execArgv: [...nodeOptions, '--unhandled-rejections=strict'] }),
    );
    elder.#child.send(order);
    await elder.until(() => elder.seen('started') > 0 || elder.ended);
    return elder;
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** How often it told this. */
  seen(event: string): number {
    return this.#seen.get(event) ?? 0;
  }

  /** Resolves when the condition holds; it is looked at whenever the process tells something. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await once(this.#emitter, 'event');
  }

  /** Sends so many messages; `fail` takes a full edge for an answer, `wait` does not. */
  async offer(count: number, whenFull: 'fail' | 'wait'): Promise<Offered> {
    this.#calls += 1;
    const id = this.#calls;
    const answered = once(this.#emitter, `answer:${id}`);
    this.#child.send({ id, method: whenFull, argument: count });
    const [value, error] = (await answered) as [Offered, string | undefined];
    if (error !== undefined) throw new Error(error);
    return value;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends it in order and gives its exit code, or the signal that ended it. */
  async stop(): Promise<number | string | null> {
    if (!this.ended) {
      const exited = once(this.#child, 'exit');
      this.#child.kill('SIGTERM');
      await exited;
    }
    return this.#child.signalCode ?? this.#child.exitCode;
  }

  kill(): void {
    if (!this.ended) this.#child.kill('SIGKILL');
  }
}

/** Starts one of the two elders of a pair: `claude_elder` sends, `knowledge_sage` receives. */
export async function startPairElder(
  redis: TestRedis,
  name: 'claude_elder' | 'knowledge_sage',
  { edgeLimit, endpoint = redis.endpoint }: { edgeLimit: number; endpoint?: RedisEndpoint },
): Promise<PairElder> {
  const credential = await redis.createIncarnation(name);
  const tls = await redis.tlsOf(name);
  return PairElder.start({ tree: redis.tree, name, endpoint, credential, tls, edgeLimit });
}

/** How many messages the receiver has handled, as its committed state says. */
export async function handledBy(redis: TestRedis): Promise<number> {
  const row = await redis.admin.command(['HGET', redis.keys.state('knowledge_sage'), 'counts/handled']);
  return typeof row === 'string' ? (JSON.parse(row) as { n: number }).n : 0;
}

/** Resolves when the receiver has handled so many; looks each time it has committed. */
export async function untilHandled(redis: TestRedis, count: number): Promise<void> {
  const key = redis.keys.journal('knowledge_sage');
  for (let last = '$'; (await handledBy(redis)) < count; ) {
    const args = ['XREAD', 'COUNT', '1', 'BLOCK', '500', 'STREAMS', key, last];
    await redis.admin.command(args, { timeoutMs: 10_000 });
    last = '$';
  }
}

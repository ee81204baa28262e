import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Endpoint, EndpointConfig } from './endpoint.ts';

/** A process of a contestant, called over IPC. */
export class Peer {
  readonly #child: ChildProcess;
  readonly #calls = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  #next = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (answer: { id: number; result?: unknown; error?: string }) => {
      const call = this.#calls.get(answer.id);
      this.#calls.delete(answer.id);
      if (answer.error === undefined) call?.resolve(answer.result);
      else call?.reject(new Error(answer.error));
    });
    child.on('exit', (code) => {
      for (const call of this.#calls.values())
        call.reject(new Error(`a process of the benchmark ended: ${code}`));
    });
  }

  /** Starts the process and lets it connect. */
  static async open(config: EndpointConfig, execArgv: string[] = []): Promise<Peer> {
    const peer = new Peer(fork(join(import.meta.dirname, 'worker.ts'), { execArgv }));
    await peer.#call('open', config);
    return peer;
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  call<M extends keyof Endpoint>(method: M, ...order: Parameters<Endpoint[M]>): ReturnType<Endpoint[M]> {
    return this.#call(method, order[0]) as ReturnType<Endpoint[M]>;
  }

  #call(method: string, argument: unknown): Promise<unknown> {
    this.#next += 1;
    const id = this.#next;
    return new Promise((resolve, reject) => {
      this.#calls.set(id, { resolve, reject });
      this.#child.send({ id, method, argument });
    });
  }

  /** Ends the process. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const gone = once(this.#child, 'exit');
    await this.call('close').catch(() => undefined);
    this.#child.disconnect();
    await gone;
  }
}

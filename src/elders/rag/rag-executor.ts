import type { Agent } from '../../agents/agent.ts';
import type { Effect } from '../../agents/core.ts';
import type { Config } from '../../protocol/config.ts';
import type { StateFolder } from '../../protocol/state-folder.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { RagEffect, RagInput } from './rag-sage.ts';
import { RagThreads, threadSettings } from './rag-threads.ts';

/** Does what the core of the RAG sage asks for: has its threads index and search, and tells it what came of it. */
export class RagExecutor {
  readonly #options: { folder: StateFolder; config: Config; log: Logger };
  #threads: RagThreads | undefined;

  constructor(options: { folder: StateFolder; config: Config; log: Logger }) {
    this.#options = options;
  }

  /** The `perform` of the agent. */
  perform(effect: Effect, agent: Agent): void {
    const wanted = effect as unknown as RagEffect;
    this.#threads ??= this.#start(agent);
    switch (wanted.kind) {
      case 'index':
        this.#threads.index(wanted.path);
        return;
      case 'forget':
        this.#threads.forget(wanted.path);
        return;
      case 'search':
        this.#threads.ask(wanted.question);
    }
  }

  /** Ends the threads. */
  async close(): Promise<void> {
    await this.#threads?.close();
  }

  #start(agent: Agent): RagThreads {
    const { folder, config, log } = this.#options;
    const tell = (input: RagInput) => {
      // An agent that stops does not listen any more; its successor asks again.
      agent.input(input as unknown as Effect).catch(() => {});
    };
    return new RagThreads(threadSettings(folder, config), {
      onReport: (report) => tell({ kind: 'report', report }),
      onForgotten: (path) => tell({ kind: 'forgotten', path }),
      onVectors: (vectors) => tell({ kind: 'vectors', vectors }),
      onAnswer: (id, answer) => tell({ kind: 'answered', id, answer }),
      warn: (fields, text) => log.warn(fields, text),
    });
  }
}

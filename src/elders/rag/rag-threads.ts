import { once } from 'node:events';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import type { Config } from '../../protocol/config.ts';
import type { RagVectors } from '../../protocol/rag.ts';
import type { StateFolder } from '../../protocol/state-folder.ts';
import { dictionaryPathOf } from '../search/language/dictionary-file.ts';
import type {
  IndexerNews,
  IndexerOrder,
  SearcherNews,
  SearchQuestion,
  ThreadSettings,
} from './indexing/messages.ts';
import type { SourceReport } from './indexing/source-report.ts';
import { startThread } from './threads/start-thread.ts';

/** What the threads tell the sage. */
export interface RagThreadEvents {
  readonly onReport: (news: Extract<IndexerNews, { kind: 'report' }>['report']) => void;
  readonly onForgotten: (path: string) => void;
  readonly onAnswer: (id: string, answer: Extract<SearcherNews, { kind: 'answer' }>['answer']) => void;
  readonly onVectors?: (vectors: RagVectors | null) => void;
  readonly warn: (fields: object, text: string) => void;
}

const firstPauseMs = 100;
const longestPauseMs = 10_000;

function failedReport(path: string, error: unknown): SourceReport {
  const reason = `the indexing thread died: ${error instanceof Error ? error.message : String(error)}`;
  return {
    ...{ path, state: 'failed', reason, files: 0, passages: 0, bytes: 0, skipped: {}, problems: [] },
    ...{ problemCount: 0, changed: 0, tookMs: 0, watching: 'no', at: Date.now() },
  };
}

/** Says where the index lies and how it is made. */
export function threadSettings(
  folder: StateFolder,
  { rag, search }: Pick<Config, 'rag' | 'search'>,
): ThreadSettings {
  const { embeddings } = rag;
  return {
    indexPath: join(folder.index, 'rag', 'index.sqlite'),
    maxFileBytes: rag.maxFileSize,
    dictionaryPath: dictionaryPathOf(folder, search),
    embeddings:
      embeddings === undefined
        ? null
        : {
            url: embeddings.url,
            model: embeddings.model,
            protocol: embeddings.protocol,
            timeoutMs: embeddings.timeout,
            ...(embeddings.apiKeyFile !== undefined && {
              apiKeyFile: join(folder.project, embeddings.apiKeyFile),
            }),
          },
  };
}

/** The threads that index and search, beside the thread that talks to the tree; each is started again when it dies. */
export class RagThreads {
  readonly #settings: ThreadSettings;
  readonly #events: RagThreadEvents;
  readonly #sources = new Set<string>();
  readonly #asked = new Map<string, SearchQuestion>();
  #indexer: Worker | undefined;
  #searcher: Worker | undefined;
  #opened = false;
  #closed = false;
  #closing: Promise<void> | undefined;
  #deaths = 0;

  constructor(settings: ThreadSettings, events: RagThreadEvents) {
    this.#settings = settings;
    this.#events = events;
    this.#startIndexer();
    this.#startSearcher();
  }

  /** Indexes a folder and keeps it indexed. */
  index(path: string): void {
    this.#sources.add(path);
    this.#order({ kind: 'index', path });
  }

  /** Takes a folder out of the index. */
  forget(path: string): void {
    this.#sources.delete(path);
    this.#order({ kind: 'forget', path });
  }

  /** Answers a question by `onAnswer`. */
  ask(question: SearchQuestion): void {
    this.#asked.set(question.id, question);
    this.#searcher?.postMessage(question);
  }

  /** Ends the threads in order; what is not written yet is read again at the next start. */
  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    this.#closed = true;
    const indexer = this.#indexer;
    const ended = indexer && indexer.threadId !== -1 ? once(indexer, 'exit') : undefined;
    this.#order({ kind: 'close' });
    await Promise.all([this.#searcher?.terminate(), ended]);
  }

  #order(order: IndexerOrder): void {
    this.#indexer?.postMessage(order);
  }

  #startIndexer(): void {
    const worker = startThread('indexer', {
      workerData: this.#settings,
      resourceLimits: { maxOldGenerationSizeMb: 384, maxYoungGenerationSizeMb: 24 },
    });
    this.#indexer = worker;
    worker.on('message', (news: IndexerNews) => this.#heard(news));
    this.#look(worker, 'the indexing thread died', () => {
      this.#startIndexer();
    });
    // Who waits for a folder must hear of it; the next thread tells when all is well again.
    worker.on('error', (error) => {
      for (const path of this.#sources) this.#events.onReport(failedReport(path, error));
    });
    for (const path of this.#sources) this.#order({ kind: 'index', path });
  }

  #startSearcher(): void {
    const worker = startThread('searcher', {
      workerData: this.#settings,
      resourceLimits: { maxOldGenerationSizeMb: 384, maxYoungGenerationSizeMb: 24 },
    });
    this.#searcher = worker;
    worker.on('message', (news: SearcherNews) => {
      if (news.kind === 'damaged') {
        this.#order({ kind: 'damaged' });
        return;
      }
      if (news.kind === 'other_length') {
        this.#order({ kind: 'other_length', bytes: news.bytes });
        return;
      }
      if (news.kind === 'warning') {
        this.#events.warn({}, news.text);
        return;
      }
      this.#asked.delete(news.id);
      this.#events.onAnswer(news.id, news.answer);
    });
    this.#look(worker, 'the searching thread died', () => {
      this.#startSearcher();
      for (const question of this.#asked.values()) this.#searcher?.postMessage(question);
    });
    if (this.#opened) worker.postMessage({ kind: 'opened' });
  }

  #heard(news: IndexerNews): void {
    switch (news.kind) {
      case 'opened':
        this.#opened = true;
        this.#deaths = 0;
        if (news.rebuilt !== null && news.rebuilt !== 'missing') {
          this.#events.warn({ why: news.rebuilt }, 'the index is made anew');
        }
        this.#searcher?.postMessage({ kind: 'opened' });
        return;
      case 'report':
        this.#events.onReport(news.report);
        return;
      case 'forgotten':
        this.#events.onForgotten(news.path);
        return;
      case 'vectors':
        this.#events.onVectors?.(news.vectors);
    }
  }

  #look(worker: Worker, what: string, again: () => void): void {
    worker.on('error', (error) =>
      this.#events.warn(
        { error: String(error), stack: error instanceof Error ? error.stack : undefined },
        what,
      ),
    );
    worker.on('exit', () => {
      if (this.#closed) return;
      this.#deaths += 1;
      setTimeout(
        () => {
          if (!this.#closed) again();
        },
        Math.min(longestPauseMs, firstPauseMs * 2 ** this.#deaths),
      );
    });
  }
}

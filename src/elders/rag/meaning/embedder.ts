import { asElderError } from '../../../protocol/errors.ts';
import type { RagVectors } from '../../../protocol/rag.ts';
import type { SearchIndex } from '../../search/full-text/search-index.ts';
import type { EmbeddingSettings } from './embeddings.ts';
import { countVectors, embedSome, forgetVectorsOfOtherLength, modelOf } from './vectors.ts';

/** After the server was away or refused (ms). */
const pauseMs = 60_000;
const reportEveryMs = 2_000;

interface EmbedderOptions {
  /** The index as it is now; it may be made anew meanwhile. */
  readonly index: () => SearchIndex;
  readonly settings: EmbeddingSettings;
  readonly report: (vectors: RagVectors) => void;
}

/** Gives every passage its vector, beside the indexing, which does not wait for the server. */
export class Embedder {
  readonly #options: EmbedderOptions;
  #isBusy = false;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;
  #reportedAt = Number.NEGATIVE_INFINITY;

  constructor(options: EmbedderOptions) {
    this.#options = options;
  }

  /** Begins, unless it is at it or waits for the server. */
  start(): void {
    if (this.#isBusy || this.#isClosed || this.#timer) return;
    this.#isBusy = true;
    void this.#work().finally(() => (this.#isBusy = false));
  }

  /** Has all made anew that are of another length (bytes). */
  startAnew(length: number): void {
    forgetVectorsOfOtherLength(this.#options.index(), this.#options.settings, length);
    this.start();
  }

  /** Stops; what is under way is not written. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  async #work(): Promise<void> {
    const { index, settings } = this.#options;
    for (;;) {
      const present = index();
      try {
        const count = await embedSome(present, settings);
        if (this.#isClosed) return;
        if (count === 0) return this.#report(null);
        if (performance.now() - this.#reportedAt > reportEveryMs) this.#report(null);
        // Orders must come through between two steps.
        await new Promise((resolve) => setImmediate(resolve));
      } catch (error) {
        if (this.#isClosed) return;
        // The index was made anew meanwhile.
        if (present !== index()) continue;
        this.#report(asElderError(error).reason);
        this.#timer = setTimeout(() => {
          this.#timer = undefined;
          this.start();
        }, pauseMs).unref();
        return;
      }
    }
  }

  #report(reason: string | null): void {
    const { index, settings, report } = this.#options;
    this.#reportedAt = performance.now();
    report({ model: modelOf(settings), ...countVectors(index(), settings), reason });
  }
}

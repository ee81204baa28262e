import { ElderError } from '../../protocol/errors.ts';
import type { ManagerEvent } from '../../protocol/local-api.ts';
import type { ElderSpec } from '../../protocol/roster.ts';
import type { CrashHistory } from '../restarts/crash-memory.ts';
import type { ElderSupervisor } from './elder-supervisor.ts';
import type { PreparedElders } from './prepared-elders.ts';

interface ElderRestartsOptions {
  /** The supervisors by name; each restart puts a new one in place of the old. */
  readonly elders: Map<string, ElderSupervisor>;
  readonly prepared: PreparedElders;
  readonly supervise: (spec: ElderSpec, history: CrashHistory) => ElderSupervisor;
  readonly onEvent: (kind: ManagerEvent['kind'], name: string, error?: ElderError) => void;
}

/** Restarts elders as a plan and not because they crashed; one plan is carried out after the other. */
export class ElderRestarts {
  readonly #options: ElderRestartsOptions;
  readonly #closed = new AbortController();
  #last: Promise<void> = Promise.resolve();

  constructor(options: ElderRestartsOptions) {
    this.#options = options;
  }

  /** Begins no further step, because the tree is being stopped. */
  close(): void {
    this.#closed.abort(new ElderError('interrupted', 'the tree is being stopped'));
  }

  /** Carries out a plan when all earlier ones are done. Rejects as the plan does, or when the tree is being stopped. */
  plan<T>(steps: () => Promise<T>): Promise<T> {
    const done = this.#last.then(() => {
      this.#closed.signal.throwIfAborted();
      return steps();
    });
    this.#last = done.then(
      () => undefined,
      () => undefined,
    );
    return done;
  }

  /**
   * Stops groups of elders in the reverse order, waits until the elder `after` is ready or has failed, and starts them
   * in order. An elder that does not become ready does not hold up the others. `onStart` is called before the first
   * of them starts. Never rejects.
   */
  async restartTogether(
    groups: readonly ElderSpec[][],
    after: string | null,
    onStart?: () => void,
  ): Promise<void> {
    await this.plan(async () => {
      // One that was dismissed meanwhile is not to come back.
      const present = groups.map((group) => group.filter(({ name }) => this.#options.elders.has(name)));
      for (const group of present.toReversed()) {
        await Promise.all(group.map(({ name }) => this.#options.elders.get(name)?.stop('drain')));
      }
      if (after !== null) await this.#options.elders.get(after)?.settled();
      onStart?.();
      for (const group of present) {
        await Promise.all(
          group.map((spec) => this.#startAnew(spec, { counts: true }).catch(() => undefined)),
        );
      }
    }).catch(() => undefined);
  }

  /**
   * Puts a new process in the place of an elder's: it loads its program first, then the old one drains within its
   * shutdown time, then the new one goes on from where that stood. Resolves when it is ready. Rejects
   * with what hindered it.
   */
  async handOver(spec: ElderSpec): Promise<void> {
    const { elders, prepared, onEvent } = this.#options;
    this.#closed.signal.throwIfAborted();
    if (!elders.has(spec.name)) return;
    prepared.prepare(spec.name);
    await prepared.loaded(spec.name);
    this.#closed.signal.throwIfAborted();
    onEvent('stopping', spec.name);
    await elders.get(spec.name)?.stop('drain');
    onEvent('stopped', spec.name);
    await this.#startAnew(spec, { counts: false });
  }

  /** `counts`: whether it is one of the restarts that the status tells of. */
  async #startAnew(spec: ElderSpec, { counts }: { counts: boolean }): Promise<void> {
    const { elders, supervise } = this.#options;
    // Without this a stop of the tree that came meanwhile would miss the new process.
    this.#closed.signal.throwIfAborted();
    const old = elders.get(spec.name);
    const restarts = (old?.status.restarts ?? 0) + (counts ? 1 : 0);
    const elder = supervise(spec, { restarts, crashes: [], errors: [...(old?.errors ?? [])] });
    elders.set(spec.name, elder);
    elder.start({ strict: false });
    await elder.ready;
  }
}

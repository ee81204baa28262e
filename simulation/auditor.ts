import type { Clock } from '../src/messaging/clock.ts';
import { MemoryBroker } from '../src/messaging/memory/memory-broker.ts';
import type { AuditEntry } from '../src/protocol/audit.ts';
import { AuditInbox, auditor } from '../src/supervision/audit/audit-inbox.ts';
import type { DurableStore } from './durable-store.ts';
import { Incarnation } from './incarnation.ts';
import type { Network } from './network.ts';
import type { Random } from './random.ts';
import { SlowBroker } from './slow-broker.ts';
import type { Trace } from './trace.ts';

interface AuditorOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly trace: Trace;
  readonly store: DurableStore;
  readonly network: Network;
  readonly sources: readonly string[];
  /** Ms between two crashes of it, on an average. */
  readonly crashMeanMs: number;
  /** From when on (ms since the epoch) it does not crash any more. */
  readonly untilAt: number;
  /** Whether it knows what the log holds already. */
  readonly remembers: boolean;
}

const retryMs = 500;
const writeMs = { from: 0.1, to: 8 };
const absenceMs = { from: 5, to: 2_000 };

/** The part of the manager that brings what the elders want audited into the audit log, which outlives it. */
export class SimulatedAuditor {
  readonly #options: AuditorOptions;
  /** The lines of the log, whose disk keeps them. */
  readonly lines: AuditEntry[] = [];
  readonly #last = new Map<string, string>();
  #incarnations = 0;
  #life: Incarnation | null = null;

  constructor(options: AuditorOptions) {
    this.#options = options;
  }

  /** Starts it; it is started again after each of its ends. */
  begin(): void {
    const { clock, random, sources, crashMeanMs, untilAt } = this.#options;
    const life = new Incarnation('auditor process', this.#incarnations, clock);
    this.#life = life;
    const inbox = new AuditInbox({
      log: {
        append: (entries) => this.#append(life, entries),
        lastEntryOf: (edge) => (this.#options.remembers ? (this.#last.get(edge) ?? null) : null),
      },
      connect: async () => this.#connect(life),
      sources,
      retryDelay: retryMs,
      onError: () => {},
      clock: life.clock,
    });
    inbox.start();
    const endsIn = random.exponential(crashMeanMs);
    if (!(clock.now() + endsIn < untilAt)) return;
    clock.setTimer(endsIn, () => this.crash(life, 'is killed'));
  }

  /** Ends it at once, if this is its present life. */
  crash(life: Incarnation, reason: string): void {
    if (life !== this.#life || !life.alive) return;
    const { clock, random, trace } = this.#options;
    trace.note(`${life} ${reason}`);
    life.end();
    clock.setTimer(random.between(absenceMs.from, absenceMs.to), () => this.begin());
  }

  /** Writes line after line: a crash in between leaves a part. */
  async #append(life: Incarnation, entries: readonly AuditEntry[]): Promise<void> {
    const { clock, random } = this.#options;
    for (const entry of entries) {
      await new Promise<void>((resolve) => {
        clock.setTimer(random.between(writeMs.from, writeMs.to), () => life.alive && resolve());
      });
      this.lines.push(entry);
      if (entry.from) this.#last.set(entry.from.edge, entry.from.entry);
    }
  }

  #connect(life: Incarnation): SlowBroker {
    const { store, network } = this.#options;
    this.#incarnations += 1;
    store.setIncarnation(auditor, this.#incarnations);
    const schedule = network.scheduleFor(life);
    const { clock } = life;
    const inner = new MemoryBroker({
      store,
      name: auditor,
      incarnation: this.#incarnations,
      clock,
      schedule,
    });
    // Positions that are lost are read again; the log tells what it holds.
    const onLost = () => {};
    return new SlowBroker({ inner, name: auditor, clock, store, delay: () => network.delay(), onLost });
  }
}

import type { Assignment } from '../src/elders/servant/servant.ts';
import type { Clock } from '../src/messaging/clock.ts';
import type { Trace } from './trace.ts';

/** One command that ran on the simulated host. Times are ms since the epoch. */
export interface Execution {
  readonly servant: string;
  readonly incarnation: number;
  readonly directiveId: string;
  readonly taskId: string;
  readonly attempt: number;
  readonly startedAt: number;
  endedAt: number | null;
  /** `null` while it runs and when it was ended from outside. */
  exitCode: number | null;
}

/** All commands that ever ran on the simulated host, whoever started them, and what was wrong with that. */
export class Executions {
  readonly #clock: Clock;
  readonly #trace: Trace;
  readonly all: Execution[] = [];
  readonly violations: string[] = [];
  readonly #running = new Set<Execution>();

  constructor(clock: Clock, trace: Trace) {
    this.#clock = clock;
    this.#trace = trace;
  }

  get running(): number {
    return this.#running.size;
  }

  begin(servant: string, incarnation: number, { directiveId, task, attempt }: Assignment): Execution {
    const startedAt = this.#clock.now();
    const begun: Execution = {
      servant,
      incarnation,
      directiveId,
      taskId: task.id,
      attempt,
      startedAt,
      endedAt: null,
      exitCode: null,
    };
    const name = `${directiveId}/${task.id}`;
    for (const other of this.#running) {
      if (other.directiveId !== directiveId || other.taskId !== task.id) continue;
      const both = `${other.attempt} at ${other.servant} and ${attempt} at ${servant}`;
      this.violations.push(`two attempts of ${name} at a time: ${both}`);
    }
    this.#trace.note(`${servant}#${incarnation} begins ${name} attempt ${attempt}`);
    this.all.push(begun);
    this.#running.add(begun);
    return begun;
  }

  /** Notes the end of a command; without effect when it has ended already. */
  end(execution: Execution, exitCode: number | null): void {
    if (execution.endedAt !== null) return;
    execution.endedAt = this.#clock.now();
    execution.exitCode = exitCode;
    this.#running.delete(execution);
    const { servant, incarnation, directiveId, taskId, attempt } = execution;
    const how = exitCode === null ? 'is ended' : `exits with ${exitCode}`;
    this.#trace.note(`${servant}#${incarnation} ${directiveId}/${taskId} attempt ${attempt} ${how}`);
  }

  /** What still runs of a servant's. */
  of(servant: string): Execution[] {
    return [...this.#running].filter((execution) => execution.servant === servant);
  }
}

import type { Broker } from '../messaging/broker.ts';
import type { Clock } from '../messaging/clock.ts';
import type { ElderError } from '../protocol/errors.ts';
import type { Agent } from './agent.ts';
import type { Context, Core, Effect } from './core.ts';
import type { Outcome } from './receiver.ts';

/** What the agent tells about its work; the telemetry of a process, or nothing in a simulation. */
export interface AgentObserver {
  onHandled?(action: string, outcome: Outcome['kind'] | 'late', waitedMs: number): void;
  onCommit?(tookMs: number, handled: number): void;
  /** Why reading, committing, or what writes to one edge has to wait, or `null` once it goes on. */
  onBlocked?(what: 'read' | 'commit' | 'edge', error: ElderError | null): void;
  /** Redis lacks entries that it had acknowledged. */
  onDataLost?(reason: string): void;
}

/** Keeps, outside Redis, how far this principal has come: it tells a successor what Redis has lost meanwhile. */
export interface CommitNote {
  /** Number of the last commit known to have landed; 0 when none is noted. */
  read(): number;
  write(number: number): void;
}

export interface AgentOptions {
  readonly name: string;
  readonly incarnation: number;
  readonly pid: number;
  readonly core: Core;
  readonly broker: Broker;
  readonly clock: Clock;
  readonly random: () => number;
  readonly newId: () => string;
  readonly servants: readonly string[];
  /** Tries at a message before it is given up. */
  readonly attempts: number;
  /** Messages that an edge may hold: a handler that sends more of them at once is given up. Absent: not checked. */
  readonly edgeLimit?: number;
  readonly log: Context['log'];
  readonly observer?: AgentObserver;
  readonly note?: CommitNote;
  /** Does what a core asked for once its commit has landed; gives the outcome back through `input`. */
  readonly perform?: (effect: Effect, agent: Agent) => void;
}

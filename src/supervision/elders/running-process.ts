import type { ProcessIdentity } from '../../protocol/process.ts';
import type { Health } from '../health/health-checker.ts';

/** How a process ended; both are `null` when it was not our child and nobody can say. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process that the manager looks after, whether it started it or adopted it. */
export interface RunningProcess {
  readonly identity: ProcessIdentity;
  readonly incarnation: number;
  /** Ms since the epoch. */
  readonly startedAt: number;
  /** Resolves once, when the process is gone; never rejects. */
  readonly exited: Promise<ProcessExit>;
  /** Sends a signal to this very process; does nothing when it is gone. */
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
  /** Asks it for its health on the channel of a process that this manager started; one that was adopted has none. */
  probe?(): Promise<Health>;
}

/** Says in words how a process ended. */
export function describeExit(exit: ProcessExit): string {
  if (exit.signal !== null) return `ended by ${exit.signal}`;
  return exit.code === null ? 'vanished' : `exited with code ${exit.code}`;
}

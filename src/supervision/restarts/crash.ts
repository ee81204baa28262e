/** How a process came to its unexpected end. */
export type CrashKind = 'exit' | 'hang' | 'start' | 'memory' | 'given_up' | 'data_lost' | 'revoked';

/** An unexpected end of a process, for the incident sage. */
export interface Crash {
  readonly name: string;
  readonly kind: CrashKind;
  readonly reason: string;
}

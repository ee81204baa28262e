import type { EdgeKey } from '../protocol/keys.ts';
import type { Lane } from '../protocol/lanes.ts';

/** How far a reader has come in one edge: the id and the sequence number of the last message handled. */
export interface Position {
  readonly id: string;
  readonly sequence: number;
}

/** A message as it travels; `codec.ts` knows what it says. */
export interface Encoded {
  /** JSON of the message; of the fields that are its own, where it shares others with its neighbours. */
  readonly body: string;
  /** JSON of the shared fields. */
  readonly head?: string | undefined;
}

/** One message of an edge as it was read, not yet checked. */
export interface Entry extends Encoded {
  readonly edge: EdgeKey;
  /** `<ms>-<n>`, and `.<place>` where it shares a stream entry; the ms are when the message was committed. */
  readonly id: string;
  /** Counted from 1 per edge without gaps: a gap means that Redis lost an entry. */
  readonly sequence: number;
}

/** All that an elder has in Redis, as a new incarnation finds it. */
export interface Snapshot {
  /** Number of the last commit that landed; 0 for a new elder. */
  readonly commitNumber: number;
  /** State fields by name. */
  readonly fields: ReadonlyMap<string, string>;
  readonly positions: ReadonlyMap<EdgeKey, Position>;
}

/** A message on its way out. */
export interface Outgoing extends Encoded {
  readonly target: string;
  readonly lane: Lane;
}

/** Everything that one step of an elder changes; it lands as a whole or not at all. */
export interface Commit {
  /** One more than the number of the last commit that landed. */
  readonly number: number;
  readonly set: ReadonlyMap<string, string>;
  readonly remove: ReadonlySet<string>;
  readonly positions: ReadonlyMap<EdgeKey, Position>;
  readonly send: readonly Outgoing[];
  /** Which messages this commit handled, for `trace`; `null` when it handled none. */
  readonly journal: string | null;
}

/** What became of a commit. Only after `ok`, or `stale` with this commit's own number, has it landed. */
export type CommitAnswer =
  | { readonly kind: 'ok' }
  /** A newer incarnation may write now; this one may not. */
  | { readonly kind: 'fenced' }
  /** The last commit that landed had this number: this commit, if equal; otherwise the writer is out of step. */
  | { readonly kind: 'stale'; readonly number: number }
  /** The edge to this target is full; nothing was written. */
  | { readonly kind: 'full'; readonly target: string; readonly lane: Lane };

/** How edges are read. */
export interface ReadOptions {
  /** At most so many entries per edge. */
  readonly count: number;
  readonly waitMs: number;
  readonly signal?: AbortSignal;
  /** Waits beside the other read and not in its place. */
  readonly urgent?: boolean;
}

/**
 * What one incarnation of one elder may do with the durable store. Every method rejects with an
 * `ElderError`: `redis_unreachable` when the connection broke (the outcome of a commit is then unknown and
 * sending it again, unchanged, is safe), `fenced` when the credential is gone, `redis_refused` otherwise.
 */
export interface Broker {
  /** Reads everything that the predecessor left. */
  load(): Promise<Snapshot>;
  /**
   * Reads at most `count` entries per edge that stand behind the cursors (ids; `0-0` is the start of an
   * edge). With nothing to read it waits up to `waitMs` for the first; 0 does not wait. Resolves to an empty
   * list when the time is over or the signal aborts. One read may wait at a time, and beside it an urgent one.
   */
  read(cursors: ReadonlyMap<EdgeKey, string>, options: ReadOptions): Promise<Entry[]>;
  /** Writes one commit atomically. */
  commit(commit: Commit): Promise<CommitAnswer>;
  /** Tells whoever listens that something happened; nothing may depend on it arriving. */
  publish(event: string): void;
  /** Listens to such events until the returned function is called. */
  subscribe(listener: (event: string) => void): Promise<() => Promise<void>>;
  /** Ends the connections; a pending `read` resolves to an empty list. */
  close(): Promise<void>;
}

import type { RagProblem, RagSourceState } from '../../../protocol/rag.ts';

/** What is told of a folder while and after it is indexed. */
export interface SourceReport {
  readonly path: string;
  readonly state: RagSourceState;
  readonly reason: string | null;
  readonly files: number;
  readonly passages: number;
  readonly bytes: number;
  /** Files left out, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
  readonly problems: readonly RagProblem[];
  readonly problemCount: number;
  readonly changed: number;
  readonly tookMs: number;
  readonly watching: 'yes' | 'partly' | 'no';
  readonly at: number;
}

/** Something that runs many small commands. */
export interface Contestant {
  readonly name: string;
  /** Whether each command is walled off as a servant does it. */
  readonly isolation: 'bubblewrap' | 'none';
  /** What it does not have beside the others, for the reader of the figures. */
  readonly lacks: string;
  /** Runs the command so many times and gives the time from the order to the last outcome (ms). */
  run(count: number): Promise<number>;
  close(): Promise<void>;
}

import type { EdgeKey } from '../protocol/keys.ts';
import { type JournalLine, journalLine } from '../protocol/local-api.ts';

/** A message that an elder is done with. */
interface Done {
  readonly edge: EdgeKey;
  readonly id: string;
  readonly sequence: number;
  /** Ms since the epoch. */
  readonly deliveredAt: number;
}

interface Run {
  readonly edge: EdgeKey;
  readonly first: number;
  readonly deliveredAt: number;
  /** Of the first message, which stands there as long as it is alone. */
  readonly messageId: string | null;
  last: string;
  count: number;
}

type Line = JournalLine | Run;

/**
 * Notes what became of the messages that one commit handles. Neighbours in an edge that were acted on at their
 * first try share a line, since nearly all messages are such.
 */
export class Journal {
  readonly #lines: Line[] = [];
  /** The run of each edge that may go on. */
  readonly #runs = new Map<EdgeKey, Run>();
  #last: Run | undefined;
  #count = 0;

  /** How many messages are noted. */
  get count(): number {
    return this.#count;
  }

  /** Notes a message that was acted on at its first try. */
  acted({ edge, id, sequence, deliveredAt }: Done, messageId: string | null): void {
    this.#count += 1;
    const run = this.#last?.edge === edge ? this.#last : this.#runs.get(edge);
    if (run && run.first + run.count === sequence && run.deliveredAt === deliveredAt) {
      run.last = id;
      run.count += 1;
      this.#last = run;
      return;
    }
    const fresh: Run = { edge, first: sequence, deliveredAt, messageId, last: id, count: 1 };
    this.#lines.push(fresh);
    this.#runs.set(edge, fresh);
    this.#last = fresh;
  }

  /** Notes a message with all that is to be said of it. */
  note(line: JournalLine): void {
    this.#count += 1;
    this.#lines.push(line);
    this.#runs.delete(line.e as EdgeKey);
    this.#last = undefined;
  }

  /** The text of the notes; `null` when there is none. */
  text(): string | null {
    return this.#count > 0 ? JSON.stringify(this.#lines.map(written)) : null;
  }
}

function written(line: Line): JournalLine {
  if (!('first' in line)) return line;
  const { edge: e, first: q, deliveredAt: d, messageId: m, last: i, count: k } = line;
  return k === 1 ? { e, i, m, d, t: 1 } : { e, i, q, k, d, t: 1 };
}

/** Reads what `Journal` wrote. Throws when it is something else. */
export function readJournalText(text: string): JournalLine[] {
  return journalLine.array().parse(JSON.parse(text));
}

/** Tells whether a line speaks of a message, by its place in the edge. */
export function speaksOf(line: JournalLine, { id, sequence }: Pick<Done, 'id' | 'sequence'>): boolean {
  const { i, q, k = 0 } = line;
  return q === undefined ? i === id : sequence >= q && sequence < q + k;
}

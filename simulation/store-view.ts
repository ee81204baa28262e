import type { DirectiveRow } from '../src/elders/task/rows.ts';
import { storedTasks } from '../src/elders/task/stored-tasks.ts';
import type { Task } from '../src/elders/task/tasks.ts';
import { messageText } from '../src/messaging/codec.ts';
import type { DirectiveRecord } from '../src/protocol/directive.ts';
import { targetsOf } from '../src/protocol/edges.ts';
import { edgeKey } from '../src/protocol/keys.ts';
import { type Lane, lanes } from '../src/protocol/lanes.ts';
import type { JournalLine } from '../src/protocol/local-api.ts';
import { type ElderMessage, elderMessage } from '../src/protocol/message.ts';
import { isFinalDirective } from '../src/protocol/states.ts';
import { auditor } from '../src/supervision/audit/audit-inbox.ts';
import type { DurableStore } from './durable-store.ts';
import { linesOf } from './journals.ts';

/** One message in its edge. */
export interface SentMessage {
  readonly edge: string;
  readonly entryId: string;
  readonly sequence: number;
  readonly message: ElderMessage;
}

/** What an elder's journal says about one message. */
export interface Handled extends JournalLine {
  readonly edge: string;
  /** Virtual ms since the epoch. */
  readonly at: number;
  readonly incarnation: number;
}

/** Reads in the store what elders have left there, as the checker needs it. */
export class StoreView {
  readonly #store: DurableStore;
  readonly #names: readonly string[];

  constructor(store: DurableStore, elders: readonly string[]) {
    this.#store = store;
    this.#names = ['gateway', ...elders];
  }

  get names(): readonly string[] {
    return this.#names;
  }

  /** Whoever has ever given a message up. */
  get keepers(): ReadonlySet<string> {
    return this.#store.keepers;
  }

  /** All rows of one table of an elder, by id. */
  rows<Row>(elder: string, table: string): Map<string, Row> {
    const rows = new Map<string, Row>();
    for (const [field, text] of this.#store.snapshot(elder).fields) {
      if (field.startsWith(`${table}/`)) rows.set(field.slice(table.length + 1), JSON.parse(text) as Row);
    }
    return rows;
  }

  /** The grand elder's records of directives. */
  directives(): Map<string, DirectiveRecord> {
    return this.rows('grand_elder', 'directives');
  }

  /** The task sage's rows of directives. */
  graphs(): Map<string, DirectiveRow> {
    return this.rows('task_sage', 'directives');
  }

  tasks(): Map<string, Task> {
    return storedTasks(this.#store.snapshot('task_sage').fields);
  }

  /** Every message that ever was in an edge between two elders, in its order. */
  messages(): SentMessage[] {
    return this.#edges()
      .filter(({ target }) => target !== auditor)
      .flatMap((edge) => this.#sent(edge).map((sent) => ({ ...sent, edge: `${edge.target}<${sent.edge}` })));
  }

  /** Every message to the audit log, in its order; an edge is named as its reader does. */
  reports(): SentMessage[] {
    return this.#edges()
      .filter(({ target }) => target === auditor)
      .flatMap((edge) => this.#sent(edge));
  }

  #sent({ source, target, lane }: { source: string; target: string; lane: Lane }): SentMessage[] {
    return this.#store.edgeOf(target, source, lane).map((entry) => ({
      edge: entry.edge,
      entryId: entry.id,
      sequence: entry.sequence,
      message: elderMessage.parse(JSON.parse(messageText(entry))),
    }));
  }

  /** What every journal says, each elder's in its order. */
  handled(): Handled[] {
    return this.#names.flatMap((name) =>
      this.#store.journalOf(name).flatMap((entry) =>
        linesOf(this.#store, name, entry).map((line) => ({
          ...line,
          edge: `${name}<${line.e}`,
          at: Number.parseInt(entry.id, 10),
          incarnation: entry.incarnation,
        })),
      ),
    );
  }

  /** Whether no message waits in any edge. */
  allHandled(): boolean {
    return this.#unhandled().length === 0;
  }

  /** Whether every directive that was taken on has ended. */
  allEnded(): boolean {
    return [...this.directives().values()].every(({ state }) => isFinalDirective(state));
  }

  /** What stands in the way of being done. */
  unfinished(): string[] {
    const directives = [...this.directives().values()].filter(({ state }) => !isFinalDirective(state));
    return [...directives.map(({ id, state }) => `${id} is ${state}`), ...this.#unhandled()];
  }

  #edges() {
    const elders = this.#names.filter((name) => name !== 'gateway').map((name) => ({ name }));
    return this.#names.flatMap((source) =>
      targetsOf(source, elders).flatMap((target) => lanes.map((lane) => ({ source, target, lane }))),
    );
  }

  #unhandled(): string[] {
    const positions = new Map(this.#names.map((name) => [name, this.#store.snapshot(name).positions]));
    // The positions of the auditor may go back with the store: what counts is its log.
    const edges = this.#edges().filter(({ target }) => target !== auditor);
    return edges.flatMap(({ source, target, lane }) => {
      const last = this.#store.edgeOf(target, source, lane).at(-1)?.sequence ?? 0;
      const handled = positions.get(target)?.get(edgeKey(source, lane))?.sequence ?? 0;
      return handled < last ? [`${target} has ${last - handled} from ${source} (${lane}) left`] : [];
    });
  }
}

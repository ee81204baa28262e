import type { Order, OrderedTable, Table } from './core.ts';
import { OrderedIndex } from './ordered-index.ts';

/** A row as it stands in memory: its text, and the decoded value once somebody asked for it. */
interface Cell {
  text: string;
  row?: unknown;
}

interface Undo {
  readonly table: Map<string, Cell>;
  readonly name: string;
  readonly id: string;
  readonly cell: Cell | undefined;
  readonly field: string;
  /** What was already noted for the commit; `undefined` if nothing was. */
  readonly change: string | null | undefined;
}

const fieldOf = (table: string, id: string) => `${table}/${id}`;

function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  Object.freeze(value);
  for (const part of Object.values(value)) freeze(part);
}

/** Gives a frozen copy of a row of the simplest kind, which needs no decoding; `undefined` for others. */
function plainCopy(row: unknown): unknown {
  if (typeof row !== 'object' || row === null || Object.getPrototypeOf(row) !== Object.prototype) return;
  for (const key in row) {
    const value = (row as { readonly [key: string]: unknown })[key];
    const isPlain =
      typeof value === 'string' || typeof value === 'boolean' || value === null || Number.isInteger(value);
    // JSON writes the other zero as 0, and calls what is named so.
    if (!isPlain || Object.is(value, -0) || key === '__proto__') return;
  }
  return Object.freeze({ ...row });
}

function decode(cell: Cell): unknown {
  if (!('row' in cell)) {
    cell.row = JSON.parse(cell.text);
    freeze(cell.row);
  }
  return cell.row;
}

/**
 * The durable state of one elder, held in memory and written through by commits. Changes apply at once and
 * are undone by `rollback`, so a handler reads what it wrote. Rows come back frozen: a change that no commit
 * would see throws instead.
 */
export class StateStore {
  readonly #tables = new Map<string, Map<string, Cell>>();
  readonly #opened = new Map<string, Table<unknown>>();
  readonly #ordered = new Map<string, OrderedTable<unknown>>();
  readonly #changes = new Map<string, string | null>();
  readonly #undo: Undo[] = [];
  /** How much of `#undo` belongs to the commit under way. */
  #sealed = 0;
  readonly #orders: Readonly<Record<string, Order>>;
  readonly #indexes = new Map<string, OrderedIndex>();

  constructor(fields: ReadonlyMap<string, string> = new Map(), orders: Readonly<Record<string, Order>> = {}) {
    this.#orders = orders;
    for (const name of Object.keys(orders)) this.#indexes.set(name, new OrderedIndex());
    for (const [field, text] of fields) {
      const slash = field.indexOf('/');
      const cell: Cell = { text };
      const name = field.slice(0, slash);
      this.#cells(name).set(field.slice(slash + 1), cell);
      this.#place(name, field.slice(slash + 1), cell);
    }
  }

  #place(name: string, id: string, cell: Cell | undefined): void {
    const index = this.#indexes.get(name);
    if (index) index.set(id, cell && this.#orders[name]?.(decode(cell) as never));
  }

  #cells(name: string): Map<string, Cell> {
    let cells = this.#tables.get(name);
    if (!cells) {
      cells = new Map();
      this.#tables.set(name, cells);
    }
    return cells;
  }

  table<Row>(name: string): Table<Row> {
    let table = this.#opened.get(name);
    if (!table) {
      table = this.#open(name);
      this.#opened.set(name, table);
    }
    return table as Table<Row>;
  }

  /** Opens a table with an order. Throws if the core gave none for it. */
  ordered<Row>(name: string): OrderedTable<Row> {
    let ordered = this.#ordered.get(name);
    if (!ordered) {
      ordered = this.#order(name);
      this.#ordered.set(name, ordered);
    }
    return ordered as OrderedTable<Row>;
  }

  #order(name: string): OrderedTable<unknown> {
    const index = this.#indexes.get(name);
    if (!index) throw new Error(`the core gives no order for the table ${name}`);
    const table = this.table<unknown>(name);
    return Object.assign(Object.create(table) as Table<unknown>, {
      groups: () => index.groups(),
      count: (group: string) => index.count(group),
      first: (group: string) => {
        const id = index.first(group);
        return id === undefined ? undefined : { id, row: table.get(id) };
      },
    });
  }

  #open<Row>(name: string): Table<Row> {
    const cells = this.#cells(name);
    return {
      get: (id) => {
        const cell = cells.get(id);
        return cell && (decode(cell) as Row);
      },
      has: (id) => cells.has(id),
      put: (id, row) => {
        const copy = plainCopy(row);
        const text = JSON.stringify(row);
        this.#write(name, cells, id, copy === undefined ? { text } : { text, row: copy });
      },
      delete: (id) => this.#write(name, cells, id, undefined),
      get size() {
        return cells.size;
      },
      *entries() {
        for (const [id, cell] of cells) yield [id, decode(cell) as Row];
      },
    };
  }

  #write(name: string, cells: Map<string, Cell>, id: string, cell: Cell | undefined): void {
    const before = cells.get(id);
    if (before?.text === cell?.text) return;
    const field = fieldOf(name, id);
    this.#undo.push({ table: cells, name, id, cell: before, field, change: this.#changes.get(field) });
    if (cell) cells.set(id, cell);
    else cells.delete(id);
    this.#place(name, id, cell);
    this.#changes.set(field, cell?.text ?? null);
  }

  /** Marks a place to which `rollback` can return. */
  mark(): number {
    return this.#undo.length;
  }

  /** Undoes every change made since the mark; 0 is the last commit that landed. */
  rollback(mark: number): void {
    const all = mark < this.#sealed;
    while (this.#undo.length > mark) {
      const { table, name, id, cell, field, change } = this.#undo.pop() as Undo;
      if (cell) table.set(id, cell);
      else table.delete(id);
      this.#place(name, id, cell);
      if (change === undefined) this.#changes.delete(field);
      else this.#changes.set(field, change);
    }
    if (!all) return;
    this.#changes.clear();
    this.#sealed = 0;
  }

  /**
   * Gives what changed since the last call, for a commit. Until `landed` it can still be rolled back, together
   * with everything that was changed since.
   */
  seal(): { set: Map<string, string>; remove: Set<string> } {
    const set = new Map<string, string>();
    const remove = new Set<string>();
    for (const [field, text] of this.#changes) {
      if (text === null) remove.add(field);
      else set.set(field, text);
    }
    this.#changes.clear();
    this.#sealed = this.#undo.length;
    return { set, remove };
  }

  /** Notes that what was sealed is committed: it cannot be rolled back any more. */
  landed(): void {
    this.#undo.splice(0, this.#sealed);
    this.#sealed = 0;
  }
}

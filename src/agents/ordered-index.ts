import type { Place } from './core.ts';

interface Item {
  readonly id: string;
  readonly rank: readonly number[];
}

interface Group {
  /** Binary heap, the least rank first; what is no longer so is dropped when it comes to the top. */
  readonly heap: Item[];
  live: number;
}

function isBefore(a: Item, b: Item): boolean {
  for (const [index, left] of a.rank.entries()) {
    const right = b.rank[index] ?? 0;
    if (left !== right) return left < right;
  }
  return a.id < b.id;
}

function sink(heap: Item[], from: number): void {
  const item = heap[from] as Item;
  let at = from;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && isBefore(heap[child + 1] as Item, heap[child] as Item)) child += 1;
    if (!isBefore(heap[child] as Item, item)) break;
    heap[at] = heap[child] as Item;
    at = child;
  }
  heap[at] = item;
}

function rise(heap: Item[], item: Item): void {
  let at = heap.push(item) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!isBefore(item, heap[parent] as Item)) break;
    heap[at] = heap[parent] as Item;
    at = parent;
  }
  heap[at] = item;
}

/**
 * Keeps the rows of a table in groups, each in the order of its rank, so that the first of a group is found
 * without looking at the others. Ids that no longer stand where a heap has them are skipped as they surface.
 */
export class OrderedIndex {
  readonly #places = new Map<string, Place>();
  readonly #groups = new Map<string, Group>();

  /** Notes where a row stands now; `undefined` takes it out. */
  set(id: string, place: Place | undefined): void {
    const before = this.#places.get(id);
    if (before) this.#leave(before.group);
    if (place === undefined) {
      this.#places.delete(id);
      return;
    }
    this.#places.set(id, place);
    let group = this.#groups.get(place.group);
    if (!group) {
      group = { heap: [], live: 0 };
      this.#groups.set(place.group, group);
    }
    group.live += 1;
    rise(group.heap, { id, rank: place.rank });
    if (group.heap.length > 2 * group.live + 64) this.#rebuild(place.group, group);
  }

  #leave(name: string): void {
    const group = this.#groups.get(name) as Group;
    group.live -= 1;
    if (group.live === 0) this.#groups.delete(name);
  }

  #rebuild(name: string, group: Group): void {
    const seen = new Set<string>();
    const live = group.heap.filter((item) => {
      const isLive = this.#isLive(name, item) && !seen.has(item.id);
      seen.add(item.id);
      return isLive;
    });
    group.heap.length = 0;
    for (const item of live) rise(group.heap, item);
  }

  #isLive(name: string, { id, rank }: Item): boolean {
    const place = this.#places.get(id);
    return place?.group === name && place.rank.every((value, index) => value === rank[index]);
  }

  /** The groups that hold a row. */
  groups(): IterableIterator<string> {
    return this.#groups.keys();
  }

  /** How many rows a group holds. */
  count(group: string): number {
    return this.#groups.get(group)?.live ?? 0;
  }

  /** The id with the least rank of a group. */
  first(name: string): string | undefined {
    const group = this.#groups.get(name);
    if (!group) return undefined;
    const { heap } = group;
    for (let top = heap[0]; top; top = heap[0]) {
      if (this.#isLive(name, top)) return top.id;
      const last = heap.pop() as Item;
      if (heap.length === 0) break;
      heap[0] = last;
      sink(heap, 0);
    }
    return undefined;
  }
}

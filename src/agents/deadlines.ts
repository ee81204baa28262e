interface Deadline {
  readonly id: string;
  /** Ms since the epoch. */
  readonly at: number;
}

/** Tells whether a question is still open and ends then. */
type Stands = (id: string, at: number) => boolean;

/**
 * Finds the questions whose deadlines come next without looking at all that are open. What was answered or undone
 * stays in here until its turn comes.
 */
export class Deadlines {
  /** The parent of the element at n stands at (n - 1) / 2 and ends no later. */
  readonly #heap: Deadline[] = [];

  add(id: string, at: number): void {
    const heap = this.#heap;
    let place = heap.push({ id, at }) - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = heap[parent] as Deadline;
      if (above.at <= at) break;
      heap[place] = above;
      heap[parent] = { id, at };
      place = parent;
    }
  }

  /** When the next open question ends. Forgets those that are not open now: where that is undone, all have to be noted anew. */
  next(stands: Stands): number | undefined {
    for (let [first] = this.#heap; first !== undefined; [first] = this.#heap) {
      if (stands(first.id, first.at)) return first.at;
      this.#removeFirst();
    }
    return undefined;
  }

  /** Lists the open questions whose time is over, the earliest first; they stay in here. */
  due(now: number, stands: Stands): string[] {
    const found: Deadline[] = [];
    const places = [0];
    for (let place = places.pop(); place !== undefined; place = places.pop()) {
      const deadline = this.#heap[place];
      if (deadline === undefined || deadline.at > now) continue;
      if (stands(deadline.id, deadline.at)) found.push(deadline);
      places.push(2 * place + 1, 2 * place + 2);
    }
    return found.sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1)).map(({ id }) => id);
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      const right = heap[child + 1];
      if (right !== undefined && right.at < (heap[child] as Deadline).at) child += 1;
      const below = heap[child];
      if (below === undefined || below.at >= last.at) break;
      heap[place] = below;
      place = child;
    }
    heap[place] = last;
  }
}

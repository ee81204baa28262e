interface Caused {
  readonly id: string;
  readonly causationId: string | null;
  readonly sentAt: number;
}

/**
 * Sorts messages so that each stands behind the one that caused it; among those free to stand next, the one
 * sent first does. Causes that are not in the list, or that go in a circle, hold nothing back.
 */
export function causalOrder<Message extends Caused>(messages: readonly Message[]): Message[] {
  const bySending = [...messages].sort(
    (left, right) => left.sentAt - right.sentAt || compare(left.id, right.id),
  );
  const known = new Set(bySending.map((message) => message.id));
  const effects = Map.groupBy(bySending, (message) => message.causationId);
  const ordered: Message[] = [];
  const placed = new Set<Message>();
  const free = bySending.filter(({ causationId }) => causationId === null || !known.has(causationId));
  while (ordered.length < bySending.length) {
    if (free.length === 0) free.push(bySending.find((message) => !placed.has(message)) as Message);
    const next = free.shift() as Message;
    if (placed.has(next)) continue;
    placed.add(next);
    ordered.push(next);
    for (const effect of effects.get(next.id) ?? []) insert(free, effect);
  }
  return ordered;
}

function insert<Message extends Caused>(free: Message[], message: Message): void {
  let at = free.length;
  while (at > 0 && free[at - 1]!.sentAt > message.sentAt) at -= 1;
  free.splice(at, 0, message);
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

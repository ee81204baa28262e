import { edgeLanes, principals, sourcesOf, targetsOf } from '../src/protocol/edges.ts';
import { treeKeys } from '../src/protocol/keys.ts';
import { roster } from '../src/protocol/roster.ts';

const reads = new Set(['get', 'hget', 'hgetall', 'xread']);
const writes = new Set(['fcall', 'xadd', 'xtrim', 'hset', 'hdel', 'hget']);

/** What one identity may touch in Redis, said anew from the table of edges and not by way of its ACL. */
export class Oracle {
  readonly #readable: ReadonlySet<string>;
  readonly #writable: ReadonlySet<string>;
  readonly #inbox: string | null;
  readonly #events: string;

  constructor({ tree, name, servants }: { tree: string; name: string; servants: number }) {
    const keys = treeKeys(tree);
    const elders = roster(servants);
    const targets = targetsOf(name, elders);
    const own = [keys.state(name), keys.positions(name)];
    this.#readable = new Set([
      ...own,
      keys.incarnation(name),
      ...targets.map((target) => keys.positions(target)),
    ]);
    this.#writable = new Set([
      ...own,
      keys.journal(name),
      ...targets.flatMap((target) => edgeLanes(name, target).map((lane) => keys.edge(target, name, lane))),
    ]);
    this.#inbox = sourcesOf(name, elders).length > 0 ? keys.inbox(name) : null;
    this.#events = keys.events;
  }

  /** Whether a command on a key, or a channel, must be allowed. */
  allows(command: string, key: string): boolean {
    if (command === 'publish' || command === 'subscribe') return key === this.#events;
    if (command === 'ping') return true;
    const inInbox = this.#inbox !== null && key.startsWith(this.#inbox);
    if (command === 'xread' && this.#inbox === null) return false;
    return (
      (reads.has(command) && (inInbox || this.#readable.has(key))) ||
      (writes.has(command) && this.#writable.has(key))
    );
  }
}

/** Keys that an identity is tried with: its own, those of whom it talks to, and those of everybody else. */
export function keyRing({
  tree,
  name,
  servants,
}: {
  tree: string;
  name: string;
  servants: number;
}): string[] {
  const keys = treeKeys(tree);
  const elders = roster(servants);
  const all = principals(elders);
  const targets = targetsOf(name, elders);
  const sources = sourcesOf(name, elders);
  const neighbours = [...new Set([...targets, ...sources])];
  const foreign = all.filter((other) => other !== name && !neighbours.includes(other));
  const facts = (who: string) => [
    keys.state(who),
    keys.positions(who),
    keys.journal(who),
    keys.incarnation(who),
    keys.edge(who, all.find((other) => other !== who && other !== name) as string, 'normal'),
  ];
  return [
    ...facts(name),
    ...targets.flatMap((target) => edgeLanes(name, target).map((lane) => keys.edge(target, name, lane))),
    ...neighbours.slice(0, 3).flatMap(facts),
    ...foreign.slice(0, 3).flatMap(facts),
    // Names of edges that are in nobody's table.
    keys.edge(name, name, 'normal'),
    ...foreign.slice(0, 2).map((other) => keys.edge(other, name, 'normal')),
    `${keys.state(name)}x`,
    keys.state(name).replace(`{et:${tree}}`, `{et:${tree}x}`),
    keys.state(name).toUpperCase(),
    keys.registry,
    keys.auditHead,
    keys.root,
    'x',
  ];
}

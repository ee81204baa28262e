/** The roles that permissions speak of; the matrix in `permissions.ts` is keyed by them. */
export const roles = [
  'grand_elder',
  'claude_elder',
  'sage',
  'council',
  'servant',
  'manager',
  'gateway',
  'auditor',
] as const;
export type Role = (typeof roles)[number];

/** One process of the tree: who it is, under whom, and where it listens. */
export interface ElderSpec {
  readonly name: string;
  readonly role: Role;
  /** The supervision parent; `null` for the root, whose parent is the manager itself. */
  readonly parent: string | null;
  /** Added to the configured port base to give the HTTPS port. */
  readonly portOffset: number;
  readonly title: { readonly en: string; readonly ja: string };
}

/** The elders that exist once, in start order; servants follow them. */
export const fixedElders = [
  {
    name: 'grand_elder',
    role: 'grand_elder',
    parent: null,
    portOffset: 0,
    title: { en: 'Grand elder', ja: 'グランドエルダー' },
  },
  {
    name: 'claude_elder',
    role: 'claude_elder',
    parent: 'grand_elder',
    portOffset: 1,
    title: { en: 'Claude elder', ja: 'クロードエルダー' },
  },
  {
    name: 'knowledge_sage',
    role: 'sage',
    parent: 'claude_elder',
    portOffset: 2,
    title: { en: 'Knowledge sage', ja: 'ナレッジ賢者' },
  },
  {
    name: 'task_sage',
    role: 'sage',
    parent: 'claude_elder',
    portOffset: 3,
    title: { en: 'Task sage', ja: 'タスク賢者' },
  },
  {
    name: 'rag_sage',
    role: 'sage',
    parent: 'claude_elder',
    portOffset: 4,
    title: { en: 'RAG sage', ja: 'RAG賢者' },
  },
  {
    name: 'incident_sage',
    role: 'sage',
    parent: 'claude_elder',
    portOffset: 5,
    title: { en: 'Incident sage', ja: 'インシデント賢者' },
  },
  {
    name: 'elder_council',
    role: 'council',
    parent: 'grand_elder',
    portOffset: 500,
    title: { en: 'Elder council', ja: 'エルダー評議会' },
  },
] as const satisfies readonly ElderSpec[];

/** Names accepted where an elder is named by a person; the wire of the older system used the first. */
export const aliases: Readonly<Record<string, string>> = { grand_elder_maru: 'grand_elder' };

/** The first servant listens at port base + 1001. */
const servantPortOffset = 1000;

/** Redis, when the manager runs it, listens at port base + 999. */
export const redisPortOffset = 999;

/** How many servants a tree may have: their ports end before the next thousand. */
export const maxServants = 900;

const servantPattern = /^servant_([1-9]\d{0,2})$/;

/** Gives the name of servant number `index`, counted from 1. */
export function servantName(index: number): string {
  return `servant_${index}`;
}

/** Builds the spec of servant number `index`, counted from 1. */
export function servantSpec(index: number): ElderSpec {
  return {
    name: servantName(index),
    role: 'servant',
    parent: 'grand_elder',
    portOffset: servantPortOffset + index,
    title: { en: `Servant ${index}`, ja: `サーバント${index}` },
  };
}

/** Tells whether a name is a servant's (`servant_1`, `servant_2`, …). */
export function isServant(name: string): boolean {
  return servantPattern.test(name);
}

/** The servants of a tree: their numbers, or how many where they are counted from 1. */
export type Servants = number | readonly number[];

/** Lists every elder of a tree with these servants, in start order. */
export function roster(servants: Servants): ElderSpec[] {
  const numbers =
    typeof servants === 'number' ? Array.from({ length: servants }, (_, index) => index + 1) : servants;
  return [...fixedElders, ...numbers.map(servantSpec)];
}

/** Gives the role of any principal that can stand as the source or target of an edge; `undefined` if unknown. */
export function roleOf(name: string): Role | undefined {
  if (name === 'manager' || name === 'gateway' || name === 'auditor') return name;
  if (isServant(name)) return 'servant';
  return fixedElders.find((elder) => elder.name === name)?.role;
}

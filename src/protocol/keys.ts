import type { Lane } from './lanes.ts';

/** An edge as its reader names it: who writes, in which lane. */
export type EdgeKey = `${string}:${Lane}`;

/** Names an edge within the inbox of its target. */
export function edgeKey(source: string, lane: Lane): EdgeKey {
  return `${source}:${lane}`;
}

let lastSplit = { key: '', parts: { source: '', lane: 'normal' as Lane } };

/** Splits the name of an edge; the inverse of `edgeKey`. */
export function splitEdgeKey(key: EdgeKey): { readonly source: string; readonly lane: Lane } {
  // Messages of an edge come one after another, and each asks more than once.
  if (key !== lastSplit.key) {
    const at = key.lastIndexOf(':');
    lastSplit = { key, parts: { source: key.slice(0, at), lane: key.slice(at + 1) as Lane } };
  }
  return lastSplit.parts;
}

/**
 * Names of everything that a tree keeps in Redis. The braces are a hash tag, so that all keys of a tree
 * share one slot and one commit can touch them on a Redis Cluster too.
 */
export function treeKeys(tree: string) {
  const root = `{et:${tree}}`;
  return {
    root,
    /** Hash: the state of an elder, its commit number (`@n`) and the lengths of its out-edges (`@out:…`). */
    state: (name: string) => `${root}:state:${name}`,
    /** Hash at the reader: edge → `<stream id> <sequence>` of the last entry handled. */
    positions: (name: string) => `${root}:positions:${name}`,
    /** Stream: one entry per commit that says which messages it handled, for `trace`. */
    journal: (name: string) => `${root}:journal:${name}`,
    /** String: the incarnation that may write; only the manager sets it. */
    incarnation: (name: string) => `${root}:incarnation:${name}`,
    /** Stream: one edge. */
    edge: (target: string, source: string, lane: Lane) => `${root}:in:${target}:${source}:${lane}`,
    /** Prefix of all edges into an elder. */
    inbox: (target: string) => `${root}:in:${target}:`,
    /** Pub/Sub channel: which edges of a reader of many have something new; losing all of it loses nothing. */
    wakeUps: (target: string) => `${root}:wake:${target}`,
    /** Hash: name → JSON of the process that plays it. */
    registry: `${root}:registry`,
    /** Hash: number and hash of the last record of the audit log, so that a log cut short is noticed. */
    auditHead: `${root}:audit-head`,
    /** Pub/Sub channel of events for people; losing all of it loses nothing. */
    events: `${root}:events`,
  };
}
export type TreeKeys = ReturnType<typeof treeKeys>;

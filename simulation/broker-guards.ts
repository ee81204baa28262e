import type { Broker, Commit, CommitAnswer, Entry } from '../src/messaging/broker.ts';
import { deadLetterPrefix } from '../src/messaging/dead-letters.ts';
import type { MemoryStore } from '../src/messaging/memory/memory-store.ts';
import type { EdgeKey } from '../src/protocol/keys.ts';

function withCommit(broker: Broker, commit: Broker['commit']): Broker {
  return {
    load: () => broker.load(),
    read: (cursors, options) => broker.read(cursors, options),
    commit,
    publish: (event) => broker.publish(event),
    subscribe: (listener) => broker.subscribe(listener),
    close: () => broker.close(),
  };
}

/** Saves the positions when entries are read and not when they are handled. */
export function savePositionsEarly(store: MemoryStore, name: string, broker: Broker): Broker {
  const commitOf = (positions: ReadonlyMap<EdgeKey, Entry>) =>
    ({
      number: 0,
      set: new Map<string, string>(),
      remove: new Set<string>(),
      positions,
      send: [],
      journal: null,
    }) as const;
  return {
    load: () => broker.load(),
    read: async (cursors, options) => {
      const entries = await broker.read(cursors, options);
      store.applyPositions(name, commitOf(new Map(entries.map((entry) => [entry.edge, entry]))));
      return entries;
    },
    commit: (commit) => broker.commit({ ...commit, positions: new Map() }),
    publish: (event) => broker.publish(event),
    subscribe: (listener) => broker.subscribe(listener),
    close: () => broker.close(),
  };
}

/** Takes a store that went back for one that is right: goes on from wherever that is. */
export function ignoreLoss(broker: Broker): Broker {
  let behind = 0;
  return withCommit(broker, async (commit) => {
    for (;;) {
      const answer = await broker.commit({ ...commit, number: commit.number - behind });
      if (answer.kind !== 'stale') return answer;
      const number = answer.number + behind;
      if (number >= commit.number) return { kind: 'stale', number };
      behind = commit.number - answer.number - 1;
    }
  });
}

/** Takes a doubtful commit that found no room for one that is gone, without using its number up. */
export function skipVoiding(broker: Broker): Broker {
  let skipped = 0;
  const shifted = async (commit: Commit): Promise<CommitAnswer> => {
    const answer = await broker.commit({ ...commit, number: commit.number - skipped });
    return answer.kind === 'stale' ? { kind: 'stale', number: answer.number + skipped } : answer;
  };
  return withCommit(broker, async (commit) => {
    if (!commit.set.has('@voided/commit')) return shifted(commit);
    skipped += 1;
    return { kind: 'ok' };
  });
}

/** Forgets what was handled together when a process died, so that nothing is ever handled alone. */
export function forgetTogether(broker: Broker): Broker {
  return withCommit(broker, (commit) => {
    const set = new Map(commit.set);
    const run = set.get('@run/last');
    if (run !== undefined) set.set('@run/last', JSON.stringify({ clean: JSON.parse(run).clean }));
    return broker.commit({ ...commit, set });
  });
}

/** Drops what was given up instead of keeping it. */
export function forgetLetters(broker: Broker): Broker {
  return withCommit(broker, (commit) => {
    const set = new Map([...commit.set].filter(([field]) => !field.startsWith(deadLetterPrefix)));
    return broker.commit({ ...commit, set });
  });
}

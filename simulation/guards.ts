import type { Core } from '../src/agents/core.ts';
import { endAttempt } from '../src/elders/task/attempts.ts';
import { dispatch } from '../src/elders/task/dispatch.ts';
import { finishDirective } from '../src/elders/task/graph.ts';
import { tables } from '../src/elders/task/rows.ts';
import { taskSage } from '../src/elders/task/task-sage.ts';
import { taskOf } from '../src/elders/task/tasks.ts';
import type { Broker, Entry } from '../src/messaging/broker.ts';
import type { Guards, MemoryStore } from '../src/messaging/memory/memory-store.ts';
import type { Config } from '../src/protocol/config.ts';
import type { EdgeKey } from '../src/protocol/keys.ts';

/** What keeps the tree honest and can be switched off here, to see that the checker notices. */
export const guardNames = [
  'atomic_commit',
  'commit_number',
  'incarnation',
  'position_in_commit',
  'reaping',
  'lease_wait',
] as const;
export type GuardName = (typeof guardNames)[number];

/** The guards of the store without the one that is switched off. */
export function storeGuards(off: GuardName | null): Partial<Guards> {
  switch (off) {
    case 'atomic_commit':
      return { atomicCommit: false };
    case 'commit_number':
      return { commitNumber: false };
    case 'incarnation':
      return { incarnation: false };
    default:
      return {};
  }
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

/** A task sage that counts an attempt as lost, and gives the task away, as soon as its lease or its servant ends. */
function hastyTaskSage(config: Config): Core {
  const core = taskSage(config);
  const lose: NonNullable<Core['onWake']> = (ctx) => {
    for (const [lease, row] of [...tables(ctx).leases.entries()]) {
      if (row.expiresAt > ctx.now()) continue;
      const { directiveId, taskId, attempt, servant: name } = row;
      const task = taskOf(ctx, directiveId, taskId);
      const holder = tables(ctx).servants.get(name);
      if (holder) tables(ctx).servants.put(name, { ...holder, lease: null });
      if (task?.lease !== lease) continue;
      const nothing = { exitCode: null, signal: null, startedAt: null, output: null };
      const result = { directiveId, taskId, lease, attempt, outcome: 'lost', ...nothing } as const;
      endAttempt(ctx, config, task, { ...result, finishedAt: ctx.now(), reason: 'lost at once' });
      finishDirective(ctx, directiveId);
    }
    dispatch(ctx, config);
  };
  return {
    ...core,
    handlers: {
      ...core.handlers,
      'report.to_sage.available': (ctx, received) => {
        for (const [lease, row] of [...tables(ctx).leases.entries()]) {
          if (row.servant === received.source)
            tables(ctx).leases.put(lease, { ...row, expiresAt: ctx.now() });
        }
        core.handlers['report.to_sage.available']?.(ctx, received);
        lose(ctx);
      },
    },
    onWake: (ctx) => {
      lose(ctx);
      core.onWake?.(ctx);
    },
  };
}

/** The core of the task sage, without the waiting when `off` says so. */
export function taskSageCore(config: Config, off: GuardName | null): Core {
  return off === 'lease_wait' ? hastyTaskSage(config) : taskSage(config);
}

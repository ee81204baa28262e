import type { Core } from '../src/agents/core.ts';
import { endAttempt } from '../src/elders/task/attempts.ts';
import { dispatch } from '../src/elders/task/dispatch.ts';
import { finishDirective } from '../src/elders/task/graph.ts';
import { tables } from '../src/elders/task/rows.ts';
import { taskSage } from '../src/elders/task/task-sage.ts';
import { taskOf } from '../src/elders/task/tasks.ts';
import type { Config } from '../src/protocol/config.ts';

/** A task sage that counts an attempt as lost, and gives the task away, as soon as its lease or its servant ends. */
export function hastyTaskSage(config: Config): Core {
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

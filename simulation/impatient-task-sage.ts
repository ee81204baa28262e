import type { Context, Core } from '../src/agents/core.ts';
import { takeBack } from '../src/elders/task/ahead.ts';
import { dispatch } from '../src/elders/task/dispatch.ts';
import { tables } from '../src/elders/task/rows.ts';
import { taskSage } from '../src/elders/task/task-sage.ts';
import type { Config } from '../src/protocol/config.ts';

/** A task sage that gives a task which was handed ahead to another as soon as it has asked for it back. */
export function impatientTaskSage(config: Config): Core {
  const core = taskSage(config);
  const takeAll = (ctx: Context) => {
    for (const [id, { recalled, servant }] of [...tables(ctx).leases.entries()]) {
      if (recalled) takeBack(ctx, servant, id);
    }
    dispatch(ctx, config);
  };
  const finished = core.handlers['report.to_sage.attempt_finished'];
  return {
    ...core,
    handlers: {
      ...core.handlers,
      'report.to_sage.attempt_finished': (ctx, received) => {
        finished?.(ctx, received);
        takeAll(ctx);
      },
    },
    onWake: (ctx) => {
      core.onWake?.(ctx);
      takeAll(ctx);
    },
  };
}

import type { Context } from '../../agents/core.ts';
import type { Config } from '../../protocol/config.ts';
import { handAhead } from './ahead.ts';
import { assign } from './assign.ts';
import { choose, likesOf } from './choice.ts';
import { wakeDelayed } from './queue.ts';
import { tables } from './rows.ts';
import { staff } from './staff.ts';

/** Hands ready tasks to idle servants, each under a lease of its own, and then ahead to those who will soon be idle. */
export function dispatch(ctx: Context, config: Config): void {
  wakeDelayed(ctx);
  const { servants, ready } = tables(ctx);
  const hopeless = new Set<string>();
  for (const name of staff(ctx)) {
    if (ready.size === 0) return;
    const servant = servants.get(name);
    if (!servant?.available || servant.lease !== null) continue;
    const likes = likesOf(config, name);
    if (hopeless.has(likes.alike)) continue;
    let found = choose(ctx, likes);
    while (found && !assign(ctx, config, name, found)) found = choose(ctx, likes);
    if (!found) hopeless.add(likes.alike);
  }
  handAhead(ctx, config);
}

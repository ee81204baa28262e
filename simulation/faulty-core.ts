import type { Context, Core, Handler } from '../src/agents/core.ts';
import type { Action } from '../src/protocol/actions.ts';

/**
 * A core whose handlers fail now and then, before or after they did their work, through no fault of the message, and
 * now and then try what they may not; its process dies, by `dieOf`, of what kills it.
 */
export function faultyCore(
  core: Core,
  {
    fails,
    trespasses,
    dieOf,
  }: { fails: () => boolean; trespasses: () => boolean; dieOf: (messageId: string) => boolean },
): Core {
  const act = <Result>(work: () => Result): Result => {
    if (fails()) throw new Error('simulated: failed before it began');
    const result = work();
    if (fails()) throw new Error('simulated: failed when it was done');
    return result;
  };
  const handlers = Object.entries(core.handlers).map(([action, handler]) => {
    const handle = handler as Handler<Action>;
    const faulty: Handler<Action> = (ctx, received) => {
      if (dieOf(received.message.message_id)) throw new Error('simulated: nobody hears this');
      if (trespasses()) trespass(ctx);
      return act(() => handle(ctx, received));
    };
    return [action, faulty] as const;
  });
  return { ...core, handlers: Object.fromEntries(handlers) };
}

/** Tries what nobody may, which stands in the audit log though nothing comes of it. */
function trespass(ctx: Context): void {
  try {
    ctx.send('manager', 'elder.ping', {});
  } catch {
    // Denied.
  }
}

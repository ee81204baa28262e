import type { Core } from './core.ts';
import { discard, orderOf, orderReplay } from './dead-letters.ts';

/** What every elder does alike, unless its core has a handler of its own. */
export const commonHandlers: Core['handlers'] = {
  'elder.ping': (ctx) => ({
    name: ctx.self,
    incarnation: ctx.incarnation,
    commitNumber: ctx.commitNumber,
    pid: ctx.pid,
  }),
  'emergency.halt': (ctx, { payload }) => {
    ctx.log.warn({ ...payload }, 'emergency: halt');
  },
  'emergency.resume': (ctx, { payload }) => {
    ctx.log.warn({ ...payload }, 'emergency: resume');
  },
  'elder.dead_letter.replay': (ctx, received) => orderReplay(ctx, orderOf(received)),
  'elder.dead_letter.discard': (ctx, received) => discard(ctx, orderOf(received)),
  'reply.acknowledge': () => {},
};

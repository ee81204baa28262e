import type { Context, Core } from '../src/agents/core.ts';
import { type ChaosLane, chaosLanes, type Intent, intentTable, intentText } from './intent.ts';
import { priorityOf, targetOf } from './topology.ts';

/** One message in so many goes through the high lane. */
const highEvery = 8;
const body = 'x'.repeat(256);

/** First and last number per lane that one input has made; it is acknowledged once its commit has landed. */
export type Made = { readonly [lane in ChaosLane]?: readonly [from: number, to: number] };

function send(ctx: Context, intent: Intent): void {
  const options = { priority: priorityOf[intent.lane] };
  const target = targetOf(ctx.self);
  const text = intentText(intent);
  if (target === 'knowledge_sage') {
    const draft = { key: text, title: 'chaos', body, tags: [], directiveId: null };
    ctx.send(target, 'sage.knowledge.store', draft, options);
  } else {
    ctx.send(target, 'report.to_sage.lease_renewed', { lease: text }, options);
  }
}

/** Counts intents in its state and sends each with the commit that counts it. */
export function producerCore(maker: number): Core {
  const counts = (ctx: Context) => ctx.table<number>(intentTable);
  return {
    handlers: {},
    onInput: (ctx, input) => {
      if (input.kind !== 'produce') {
        return Object.fromEntries(chaosLanes.map((lane) => [lane, counts(ctx).get(lane) ?? 0]));
      }
      const wanted = Number(input.count);
      const made: { [lane in ChaosLane]?: [number, number] } = {};
      const next = { normal: counts(ctx).get('normal') ?? 0, high: counts(ctx).get('high') ?? 0 };
      for (let index = 1; index <= wanted; index += 1) {
        const lane = index % highEvery === 0 ? 'high' : 'normal';
        next[lane] += 1;
        send(ctx, { maker, lane, n: next[lane] });
        made[lane] = [made[lane]?.[0] ?? next[lane], next[lane]];
      }
      for (const lane of chaosLanes) if (made[lane]) counts(ctx).put(lane, next[lane]);
      return made;
    },
  };
}

import type { Context } from '../../agents/core.ts';
import type { PayloadOf } from '../../protocol/actions.ts';
import { tables } from './rows.ts';

const everything = '*';

/** Stops handing out the tasks of a directive, or all with `null`; servants are told to end what runs by the grand elder. */
export function halt(ctx: Context, { directiveId, reason }: PayloadOf<'emergency.halt'>): void {
  const { halts, leases } = tables(ctx);
  halts.put(directiveId ?? everything, reason);
  for (const [id, lease] of [...leases.entries()]) {
    if (directiveId === null || lease.directiveId === directiveId) leases.put(id, { ...lease, halted: true });
  }
}

/** Takes a halt back. */
export function resume(ctx: Context, { directiveId }: PayloadOf<'emergency.resume'>): void {
  tables(ctx).halts.delete(directiveId ?? everything);
}

/** Whether no task of a directive may start now. */
export function isHalted(ctx: Context, directiveId: string): boolean {
  const { halts } = tables(ctx);
  return halts.size > 0 && (halts.has(everything) || halts.has(directiveId));
}

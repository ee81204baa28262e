import { createHash } from 'node:crypto';
import type { AuditEntry } from '../protocol/audit.ts';
import { roleOf } from '../protocol/roster.ts';
import type { Context } from './core.ts';

/** Something for the audit log; who says so is known from the edge that it goes into. */
export type Happening = Omit<AuditEntry, 'by' | 'from'>;

/** A happening with its time, as it waits in the state for its way to the audit log. */
type Row = Happening & { readonly at: number };

/** Kinds of denials that are kept apart while the edge to the audit log has no room; further ones are only counted. */
const keptApart = 1_000;
/** Of one message to the audit log; each is far below a kilobyte, or two. */
const perReport = 64;
const longestText = 300;
const manyKinds = 'more kinds of denials than are kept apart';

const rows = (ctx: Context) => ctx.table<Row>('@audit');
const cut = (text: string | null | undefined) => text?.slice(0, longestText) ?? null;

/** Has a happening reach the audit log, with the commit of this step. */
export function noteHappening(ctx: Context, happening: Happening): void {
  rows(ctx).put(ctx.newId(), { ...happening, at: happening.at ?? ctx.now() });
}

/** Has denials reach the audit log; equal ones that still wait are counted as one, so a flood of them takes no room. */
export function noteDenials(ctx: Context, denials: readonly Happening[]): void {
  if (denials.length === 0) return;
  const table = rows(ctx);
  for (const denial of denials) {
    const { event, subject, object, action, reason } = denial;
    const texts = { subject: cut(subject), object: cut(object), action: cut(action), reason: cut(reason) };
    const known = keyOf([event, ...Object.values(texts)]);
    const isMany = !table.has(known) && table.size >= keptApart;
    // What a message claims of others is no name to go by: there is no end of such names.
    const whom = subject && roleOf(subject) ? subject : null;
    const key = isMany ? `more ${whom}` : known;
    const row: Row = isMany
      ? { kind: 'denial', event: 'more', subject: whom, object: ctx.self, reason: manyKinds, at: ctx.now() }
      : { ...denial, ...texts, at: ctx.now() };
    const before = table.get(key);
    const count = (before?.count ?? 0) + (denial.count ?? 1);
    table.put(key, before ? { ...before, count, lastAt: ctx.now() } : { ...row, count });
  }
}

function keyOf(parts: readonly (string | null)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 22);
}

/** Whether anything waits for its way to the audit log. */
export function hasHappenings(ctx: Context): boolean {
  return rows(ctx).size > 0;
}

/** Sends the oldest of what waits in one message; gives whether there was any. */
export function sendHappenings(ctx: Context): boolean {
  const table = rows(ctx);
  if (table.size === 0) return false;
  const oldest = [...table.entries()].sort(([, a], [, b]) => a.at - b.at).slice(0, perReport);
  ctx.send('auditor', 'audit.report', { entries: oldest.map(([, row]) => row) }, { priority: 8 });
  for (const [key] of oldest) table.delete(key);
  return true;
}

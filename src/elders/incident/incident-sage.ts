import type { Context, Core } from '../../agents/core.ts';
import type { IncidentRecord } from '../../protocol/actions.ts';

const maxIncidents = 2_000;
const incidents = (ctx: Context) => ctx.table<IncidentRecord>('incidents');

/** The incident sage: keeps what went wrong, equal incidents counted as one. */
export function incidentSage(): Core {
  return {
    handlers: {
      'incident.raise': (ctx, { source, payload }) => {
        const id = `${source}/${payload.fingerprint}`;
        const before = incidents(ctx).get(id);
        const now = ctx.now();
        const firstAt = before?.firstAt ?? now;
        const count = (before?.count ?? 0) + 1;
        incidents(ctx).put(id, { ...payload, id, source, count, firstAt, lastAt: now });
        ctx.announce({ kind: 'incident', id, severity: payload.severity, title: payload.title });
        if (incidents(ctx).size <= maxIncidents) return;
        const [oldest] = [...incidents(ctx).entries()].sort(([, a], [, b]) => a.lastAt - b.lastAt);
        if (oldest) incidents(ctx).delete(oldest[0]);
      },
      'sage.incident.list': (ctx, { payload }) => {
        const newest = [...incidents(ctx).entries()]
          .map(([, row]) => row)
          .sort((a, b) => b.lastAt - a.lastAt);
        return { incidents: newest.slice(0, payload.limit) };
      },
    },
  };
}

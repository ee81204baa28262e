import type { Evidence } from './checker.ts';

/** What the elders wanted audited stands in the log: all of it, once, each elder's in its order. */
export function checkAudit({ view, audited }: Evidence): string[] {
  const problems: string[] = [];
  const lines = Map.groupBy(audited, ({ from }) => from?.edge ?? '');
  for (const [edge, messages] of Map.groupBy(view.reports(), (message) => message.edge)) {
    const wanted = messages.flatMap(({ entryId, message }) =>
      (message.payload.entries as unknown[]).map((_, part) => `${entryId}#${part}`),
    );
    const found = (lines.get(edge as never) ?? []).map(({ from }) => from?.entry ?? '');
    const missing = wanted.filter((entry) => !found.includes(entry));
    if (missing.length > 0) problems.push(`not in the audit log: ${missing.length} of ${edge}`);
    const twice = found.filter((entry, index) => found.indexOf(entry) !== index);
    if (twice.length > 0) problems.push(`twice in the audit log: ${twice.length} of ${edge}`);
    const known = found.filter((entry) => wanted.includes(entry));
    const inOrder = wanted.filter((entry) => found.includes(entry));
    if (twice.length === 0 && known.join() !== inOrder.join())
      problems.push(`out of order in the audit log: ${edge}`);
  }
  return problems;
}

import type { ManagerEvent } from '../../protocol/local-api.ts';
import type { Catalog } from '../text/catalog.ts';
import { oneLine } from '../text/printable.ts';

/** Says in words what a manager event means. */
export function managerEventText({ kind, name, error, scale }: ManagerEvent, text: Catalog): string {
  const t = text.up;
  const who = name ?? 'manager';
  switch (kind) {
    case 'starting':
      return t.starting(who);
    case 'adopted':
      return t.adopted(who);
    case 'ready':
      return t.ready(who);
    case 'stopping':
      return t.stopping(who);
    case 'stopped':
      return t.stopped(who);
    case 'failed':
      return t.failed(who, oneLine(error?.reason ?? ''));
    case 'data_lost':
      return t.dataLost(oneLine(error?.reason ?? ''));
    case 'draining':
      return t.servantDraining(who);
    case 'scaled':
      return `${who}: ${text.scale.change(scale?.from ?? 0, scale?.to ?? 0, scale?.by ?? '', scale?.reason ?? null)}`;
    case 'tree_ready':
      return t.treeReady;
    case 'tree_stopped':
      return t.treeStopped;
  }
}

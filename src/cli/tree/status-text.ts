import type { ElderStatus, TreeStatus } from '../../protocol/process.ts';
import type { Catalog } from '../text/catalog.ts';
import { oneLine } from '../text/printable.ts';
import { paintState } from '../text/state-color.ts';
import { renderTable } from '../text/table.ts';
import { spanText } from '../text/times.ts';

function branches(
  elders: readonly ElderStatus[],
  parent: string | null,
  indent: string,
): [string, ElderStatus][] {
  const children = elders.filter((elder) => elder.parent === parent);
  return children.flatMap((elder, index) => {
    const last = index === children.length - 1;
    const [own, below] = parent === null ? ['', ''] : last ? ['└─ ', '   '] : ['├─ ', '│  '];
    return [
      [`${indent}${own}${elder.name}`, elder],
      ...branches(elders, elder.name, `${indent}${below}`),
    ] as [string, ElderStatus][];
  });
}

/** What walls off the elders that live; those without a wall are named. */
function isolationText({ elders }: TreeStatus, t: Catalog['status']): string[] {
  const living = elders.filter((elder) => elder.pid !== null);
  if (living.length === 0) return [];
  const open = living.filter((elder) => elder.isolation === 'none').map((elder) => elder.name);
  return [
    t.isolation(
      open.length === living.length ? 'none' : 'bubblewrap',
      open.length === living.length ? [] : open,
    ),
  ];
}

/** How many warm processes wait to become an elder, and for whom there is none now. */
function sparesText({ spares, elders }: TreeStatus, t: Catalog['status']): string[] {
  if (spares.length === 0) return [];
  const ready = spares.filter(({ state }) => state === 'ready');
  const without = elders
    .map(({ name }) => name)
    .filter((name) => !ready.some(({ takes }) => takes.includes(name)));
  return [t.spares(ready.length, spares.length, without)];
}

/** The pools of servants of which the tree below does not tell all. */
function servantsText({ pools = [] }: TreeStatus, t: Catalog['status']): string[] {
  return pools
    .filter(({ automatic, draining }) => automatic || draining.length > 0)
    .map(({ pool, count, draining, automatic, min, max }) =>
      t.servants(pool, count, draining.length, automatic ? `${min}–${max}` : null),
    );
}

/** Draws the tree with the state of each process, as `elders status` prints it. `now` is ms since the epoch. */
export function statusText(status: TreeStatus, text: Catalog, now: number): string {
  const t = text.status;
  if (status.tree === '') return `${t.noTree}\n`;
  const { manager, redis } = status;
  const facts = [
    manager ? t.manager(manager.pid, spanText(now - manager.startedAt)) : t.noManager,
    t.redis(`${redis.host}:${redis.port}`, redis.state, redis.appendfsync),
    t.sandbox(status.sandbox),
    ...isolationText(status, t),
    ...sparesText(status, t),
    ...servantsText(status, t),
  ];
  const warnings = redis.insecure.map((reason) => `${t.insecureRedis(oneLine(reason))}\n`).join('');
  const about = redis.reason === null ? '' : `redis: ${oneLine(redis.reason)}\n`;
  const head = `${t.tree(status.tree, paintState(status.state))}\n${facts.join(' · ')}\n${warnings}${about}`;
  if (status.elders.length === 0) return head;
  const rows = branches(status.elders, null, '').map(([label, elder]) => [
    label,
    paintState(elder.state),
    elder.pid === null ? '-' : String(elder.pid),
    elder.port === 0 ? '-' : String(elder.port),
    String(elder.incarnation),
    String(elder.restarts),
    elder.startedAt === null || elder.pid === null ? '-' : spanText(now - elder.startedAt),
    oneLine(elder.reason ?? ''),
  ]);
  return `${head}\n${renderTable([t.head, ...rows])}`;
}

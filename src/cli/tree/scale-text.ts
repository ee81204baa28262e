import type { PoolScale, ScaleState } from '../../protocol/scaling.ts';
import type { Catalog } from '../text/catalog.ts';
import { oneLine } from '../text/printable.ts';
import { renderTable } from '../text/table.ts';
import { spanText } from '../text/times.ts';

function row(pool: PoolScale, t: Catalog['scale'], now: number): string[] {
  const { count, ready, busy, draining, waiting, least, min, max, automatic, last } = pool;
  const changed =
    last && `${t.change(last.from, last.to, last.by, last.reason)}, ${t.ago(spanText(now - last.at))}`;
  return [
    pool.pool,
    String(count),
    String(ready),
    busy === null ? t.none : String(busy),
    draining.length === 0 ? t.none : draining.join(', '),
    waiting === null ? t.none : String(waiting),
    `${automatic ? min : least}–${max}`,
    automatic ? t.automatic : t.fixed,
    changed === null ? t.none : oneLine(changed),
  ];
}

/** Shows the pools of servants, as `elders scale` prints them. `now` is ms since the epoch. */
export function scaleText({ pools }: ScaleState, { scale }: Catalog, now: number): string {
  return renderTable([scale.head, ...pools.map((pool) => row(pool, scale, now))]);
}

import type { Catalog } from '../text/catalog.ts';
import { sizeText } from '../text/sizes.ts';
import { paintState } from '../text/state-color.ts';
import { renderTable } from '../text/table.ts';
import { spanText } from '../text/times.ts';
import type { TreeRates } from './usage-rates.ts';

function shown(value: number | null, write: (value: number) => string): string {
  return value === null ? '-' : write(value);
}

/** Writes what each process used and did, as `elders top` prints it. */
export function topText(rates: TreeRates, text: Catalog): string {
  const t = text.top;
  const rows = rates.processes.map((process) => [
    process.name,
    paintState(process.state),
    shown(process.pid, String),
    shown(process.cpu, (cpu) => `${(cpu * 100).toFixed(1)} %`),
    shown(process.memory, sizeText),
    shown(process.handled, (rate) => rate.toFixed(1)),
    shown(process.sent, (rate) => rate.toFixed(1)),
    shown(process.waiting, String),
    String(process.restarts),
  ]);
  return `${t.title(paintState(rates.state), spanText(rates.spanMs))}\n\n${renderTable([t.head, ...rows])}`;
}

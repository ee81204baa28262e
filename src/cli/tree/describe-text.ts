import type { ElderDescription } from '../../protocol/operations.ts';
import type { Catalog } from '../text/catalog.ts';
import { oneLine } from '../text/printable.ts';
import { sizeText } from '../text/sizes.ts';
import { paintState } from '../text/state-color.ts';
import { renderTable } from '../text/table.ts';
import { spanText, timeText } from '../text/times.ts';

function facts(description: ElderDescription, text: Catalog, now: number): string[][] {
  const t = text.describe;
  const { status, supervision, crashes, memory, cpuTime, certificate, permissions } = description;
  const { restart, branch, strategy, shutdown, memoryLimit, intensity, period } = supervision;
  const reason = status.reason === null ? '' : ` (${oneLine(status.reason)})`;
  const age = spanText(now - (status.startedAt ?? now));
  return [
    [t.state, `${paintState(status.state)}${reason}`],
    [t.process, status.pid === null ? t.noProcess : t.pidOf(status.pid, status.incarnation, age)],
    ...(memory === null || cpuTime === null
      ? []
      : [[t.usage, t.usageOf(sizeText(memory), sizeText(memoryLimit), spanText(cpuTime))]]),
    [t.isolation, status.isolation],
    [t.supervision, t.supervisionOf(restart, branch, strategy, spanText(shutdown))],
    [t.restarts, t.restartsOf(status.restarts, crashes.length, intensity, spanText(period))],
    [
      t.certificate,
      certificate === null
        ? t.noCertificate
        : t.certificateOf(certificate.serial, timeText(certificate.expiresAt)),
    ],
    [t.permissions, permissions.join(', ')],
    ...description.sends.map(({ to, actions }, index) => [
      index === 0 ? t.sends : '',
      `${to}: ${actions.join(', ')}`,
    ]),
  ];
}

/** Writes all that is known of one elder, as `elders describe` prints it. `now` is ms since the epoch. */
export function describeText(description: ElderDescription, text: Catalog, now: number): string {
  const t = text.describe;
  const { status, edges, errors } = description;
  const used = edges.filter(({ sent, length }) => sent > 0 || length > 0);
  const rows = used.map(({ source, target, lane, sent, handled, length }) => [
    source === status.name ? `→ ${target}` : `← ${source}`,
    lane,
    String(sent - handled),
    String(handled),
    String(length),
  ]);
  const past =
    errors.length === 0
      ? `${t.noErrors}\n`
      : `${t.errors}\n${renderTable(errors.map(({ at, kind, reason }) => [timeText(at), kind, oneLine(reason)]))}`;
  return [
    `${status.name}\n${renderTable(facts(description, text, now))}`,
    `${rows.length === 0 ? '' : renderTable([t.edges, ...rows])}${t.unused(edges.length - used.length)}\n`,
    past,
  ].join('\n');
}

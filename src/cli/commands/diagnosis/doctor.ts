import { exitCodes } from '../../../protocol/exit-codes.ts';
import type { LoadedConfig } from '../../config/load-config.ts';
import { type CheckName, checkNames, type Finding } from '../../doctor/check.ts';
import { checks } from '../../doctor/checks.ts';
import type { Session } from '../../session.ts';
import { padDisplay } from '../../text/display-width.ts';
import { manyLines } from '../../text/printable.ts';
import { paintState } from '../../text/state-color.ts';

interface Report extends Finding {
  readonly name: CheckName;
  readonly next: string | null;
}

async function examine(session: Session): Promise<Report[]> {
  const loaded: LoadedConfig | null = await session.config().catch(() => null);
  const reports: Report[] = [];
  for (const name of checkNames) {
    const finding: Finding = await checks[name]({ session, loaded }).catch((error: Error) => ({
      state: 'fail',
      detail: error.message,
    }));
    reports.push({ name, ...finding, next: finding.state === 'ok' ? null : session.text.doctor.hints[name] });
  }
  return reports;
}

/** Checks what the tree needs on this machine; the exit code is 1 if anything failed. */
export async function run(session: Session): Promise<number> {
  const reports = await examine(session);
  const failed = reports.some(({ state }) => state === 'fail');
  const t = session.text.doctor;
  session.print({ ok: !failed, checks: reports }, () =>
    reports
      .map(({ name, state, detail, next }) => {
        const lines = [...manyLines(detail).split('\n'), ...(next ? [`→ ${next}`] : [])];
        return `${padDisplay(paintState(state, t[state]), 8)}  ${padDisplay(t.checks[name], 16)}  ${lines.join(`\n${' '.repeat(28)}`)}\n`;
      })
      .join(''),
  );
  return failed ? exitCodes.failed : exitCodes.ok;
}

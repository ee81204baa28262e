import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { CommandInput } from '../../command-spec.ts';
import { GatewayClient } from '../../connection/gateway-client.ts';
import { collectReport } from '../../report/collect-report.ts';
import { htmlReport, markdownReport } from '../../report/write-report.ts';
import type { Session } from '../../session.ts';

/** Writes what came of a directive as Markdown or HTML, to standard output or a file. Throws `not_found`. */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const report = await collectReport(new GatewayClient(session), input.arguments[0]!);
  const { text, locale } = session;
  const isHtml = (input.text('format') ?? 'markdown') === 'html';
  const written = isHtml ? htmlReport(report, text, locale) : markdownReport(report, text);
  const output = input.text('output');
  if (output === undefined) {
    session.print(report, () => written);
    return;
  }
  const path = resolve(session.cwd, output);
  await writeFile(path, written);
  session.print({ path }, () => `${path}\n`);
}

import { resolve } from 'node:path';
import type { KnowledgeContent } from '../../../protocol/knowledge.ts';
import type { CommandInput } from '../../command-spec.ts';
import { GatewayClient } from '../../connection/gateway-client.ts';
import { allEntries, contentOf } from '../../knowledge/knowledge-client.ts';
import { writeMarkdownFolder } from '../../knowledge/markdown-folder.ts';
import type { Session } from '../../session.ts';
import { oneLine } from '../../text/printable.ts';

/** Writes every entry as a Markdown file; exit code 1 if some could not be written. */
export async function run(session: Session, input: CommandInput): Promise<number> {
  const [given] = input.arguments as [string];
  const folder = resolve(session.cwd, given);
  const entries: KnowledgeContent[] = [];
  for await (const entry of allEntries(new GatewayClient(session))) entries.push(contentOf(entry));
  const done = writeMarkdownFolder(folder, entries);
  session.print({ folder, ...done }, () => {
    return `${session.text.knowledge.exported(done.written.length, done.unchanged, folder)}\n`;
  });
  for (const { path, reason } of done.problems) session.note(`${oneLine(path)}: ${oneLine(reason)}`);
  return done.problems.length > 0 ? 1 : 0;
}

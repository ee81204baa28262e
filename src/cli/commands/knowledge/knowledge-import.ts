import { resolve } from 'node:path';
import type { KnowledgeContent } from '../../../protocol/knowledge.ts';
import type { CommandInput } from '../../command-spec.ts';
import { GatewayClient } from '../../connection/gateway-client.ts';
import { putEntries } from '../../knowledge/knowledge-client.ts';
import { readMarkdownFolder } from '../../knowledge/markdown-folder.ts';
import type { Session } from '../../session.ts';
import { oneLine } from '../../text/printable.ts';

/** Puts each entry behind the one that replaces it, which has to exist before. */
function successorsFirst(entries: readonly KnowledgeContent[]): KnowledgeContent[] {
  const byId = new Map(entries.map((entry) => [entry.id, entry]));
  const ordered = new Set<KnowledgeContent>();
  for (const entry of entries) {
    const chain: KnowledgeContent[] = [];
    let next: KnowledgeContent | undefined = entry;
    while (next && !chain.includes(next) && !ordered.has(next)) {
      chain.push(next);
      next = byId.get(next.supersededBy ?? '');
    }
    for (const each of chain.reverse()) ordered.add(each);
  }
  return [...ordered];
}

/** Takes in a folder of Markdown files; exit code 1 if some were refused. Throws `usage` if it is no folder. */
export async function run(session: Session, input: CommandInput): Promise<number> {
  const [given] = input.arguments as [string];
  const folder = resolve(session.cwd, given);
  const { files, problems: unreadable } = readMarkdownFolder(folder);
  const paths = new Map(files.map(({ path, entry }) => [entry.id, path]));
  const entries = successorsFirst(files.map(({ entry }) => entry));
  const note = input.text('reason') ?? 'import';
  const results = await putEntries(new GatewayClient(session), entries, note);
  const of = (wanted: string) => results.filter(({ outcome }) => outcome === wanted);
  const refused = of('refused').map(({ id, reason }) => ({
    path: paths.get(id) ?? id,
    reason: reason ?? '',
  }));
  const problems = [...unreadable, ...refused];
  const counts = {
    added: of('added').length,
    changed: of('changed').length,
    unchanged: of('unchanged').length,
  };
  const similar = results.filter((result) => result.outcome === 'added' && result.similar.length > 0);
  session.print({ folder, ...counts, problems, results }, () => {
    const { text } = session;
    const same = similar.map(({ id, similar: [first] }) =>
      text.knowledge.isSimilar(
        oneLine(id),
        oneLine(first?.id ?? ''),
        Math.round((first?.similarity ?? 0) * 100),
      ),
    );
    return [text.knowledge.imported(counts), ...same].map((line) => `${line}\n`).join('');
  });
  for (const { path, reason } of problems) session.note(`${oneLine(path)}: ${oneLine(reason)}`);
  return problems.length > 0 ? 1 : 0;
}

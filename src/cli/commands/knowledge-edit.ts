import { resolve } from 'node:path';
import { ElderError } from '../../protocol/errors.ts';
import type { KnowledgeContent } from '../../protocol/knowledge.ts';
import type { CommandInput } from '../command-table.ts';
import { GatewayClient } from '../gateway-client.ts';
import { editText } from '../knowledge/edit-text.ts';
import { changesOf } from '../knowledge/entry-options.ts';
import { contentOf, putEntry } from '../knowledge/knowledge-client.ts';
import { putText } from '../knowledge/knowledge-text.ts';
import { parseEntry, renderEntry } from '../knowledge/markdown-entry.ts';
import { readInput } from '../read-input.ts';
import type { Session } from '../session.ts';

/** What the new text of an entry says; a text without front matter changes the body alone. */
function parsed(text: string, present: KnowledgeContent): KnowledgeContent {
  if (!/^\uFEFF?---[ \t]*\r?\n/u.test(text)) return { ...present, body: text };
  const entry = parseEntry(text, present.id);
  if (entry.id === present.id) return entry;
  throw new ElderError('usage', `the text is that of ${entry.id}, not of ${present.id}`);
}

async function edited(
  session: Session,
  input: CommandInput,
  present: KnowledgeContent,
): Promise<KnowledgeContent> {
  const [, file] = input.arguments;
  const changes = changesOf(input, present.links);
  if (file !== undefined) {
    const text = await readInput(file === '-' ? file : resolve(session.cwd, file));
    return { ...parsed(text, present), ...changes };
  }
  if (Object.keys(changes).length > 0) return { ...present, ...changes };
  return parsed(await editText(renderEntry(present, present.id), session), present);
}

/**
 * Changes an entry by options, by a file, or in the editor of the user. Throws `usage`, `not_found`, `malformed`, and
 * `conflict` when somebody else changed it meanwhile.
 */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const [id] = input.arguments as [string];
  const client = new GatewayClient(session);
  const entry = await client.ask('knowledge_sage', 'sage.knowledge.show', { id });
  const present = contentOf(entry);
  const next = await edited(session, input, present);
  const sameText = next.title === present.title && next.body === present.body;
  // What a person has written anew follows from no records any more.
  const derived = next.derived && sameText;
  const changed = { ...next, derived, ifVersion: entry.version };
  const result = await putEntry(client, changed, input.text('reason') ?? '');
  session.print(result, () => putText(result, session.text));
}

import { resolve } from 'node:path';
import { ElderError } from '../../../protocol/errors.ts';
import type { KnowledgeContent, KnowledgePutResult } from '../../../protocol/knowledge.ts';
import type { CommandInput } from '../../command-spec.ts';
import { GatewayClient } from '../../connection/gateway-client.ts';
import { editText } from '../../knowledge/edit-text.ts';
import { changesOf } from '../../knowledge/entry-options.ts';
import { contentOf, putEntry } from '../../knowledge/knowledge-client.ts';
import { putText } from '../../knowledge/knowledge-text.ts';
import { parseEntry, renderEntry } from '../../knowledge/markdown-entry.ts';
import { readInput } from '../../read-input.ts';
import type { Session } from '../../session.ts';

/** What the new text of an entry says; a text without front matter changes the body alone. */
function parsed(text: string, present: KnowledgeContent): KnowledgeContent {
  if (!/^\uFEFF?---[ \t]*\r?\n/u.test(text)) return { ...present, body: text };
  const entry = parseEntry(text, present.id);
  if (entry.id === present.id) return entry;
  throw new ElderError('usage', `the text is that of ${entry.id}, not of ${present.id}`);
}

/**
 * Changes an entry by options, by a file, or in the editor of the user. Throws `usage`, `not_found`, `malformed`, and
 * `conflict` when somebody else changed it meanwhile.
 */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const [id, file] = input.arguments as [string, string | undefined];
  const client = new GatewayClient(session);
  const entry = await client.ask('knowledge_sage', 'sage.knowledge.show', { id });
  const present = contentOf(entry);
  const put = (next: KnowledgeContent) => {
    const sameText = next.title === present.title && next.body === present.body;
    // What a person has written anew follows from no records any more.
    const changed = { ...next, derived: next.derived && sameText, ifVersion: entry.version };
    return putEntry(client, changed, input.text('reason') ?? '');
  };
  const changes = changesOf(input, present.links);
  let result: KnowledgePutResult;
  if (file !== undefined) {
    const text = await readInput(file === '-' ? file : resolve(session.cwd, file));
    result = await put({ ...parsed(text, present), ...changes });
  } else if (Object.keys(changes).length > 0) {
    result = await put({ ...present, ...changes });
  } else {
    const text = renderEntry(present, present.id);
    result = await editText(text, session, async (edited) => put(parsed(edited, present)));
  }
  session.print(result, () => putText(result, session.text));
}

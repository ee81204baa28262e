import { resolve } from 'node:path';
import { ElderError } from '../../../protocol/errors.ts';
import type { KnowledgeInput } from '../../../protocol/knowledge.ts';
import type { CommandInput } from '../../command-spec.ts';
import { GatewayClient } from '../../connection/gateway-client.ts';
import { changesOf } from '../../knowledge/entry-options.ts';
import { putEntry } from '../../knowledge/knowledge-client.ts';
import { putText } from '../../knowledge/knowledge-text.ts';
import { parseEntry } from '../../knowledge/markdown-entry.ts';
import { readInput } from '../../read-input.ts';
import type { Session } from '../../session.ts';

const nameless = 'entry';
const noLinks = { directives: [], tasks: [], incidents: [] };

/** What a file says; by itself it is a lesson of a person's, and has no id unless it names one. */
async function fromFile(file: string, session: Session): Promise<Partial<KnowledgeInput>> {
  const text = await readInput(file === '-' ? file : resolve(session.cwd, file));
  const { id, title, ...rest } = parseEntry(text, nameless, { kind: 'lesson', source: 'human' });
  return { ...rest, ...(id !== nameless && { id }), ...(title !== nameless && { title }) };
}

/** Adds an entry, of a Markdown file or of options. Throws `usage`, `malformed`, `conflict` and `not_found`. */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const [file] = input.arguments;
  const given = file === undefined ? {} : await fromFile(file, session);
  const id = input.text('id');
  const changes = changesOf(input, given.links ?? noLinks);
  const entry = { kind: 'lesson', source: 'human', ...given, ...changes, ...(id !== undefined && { id }) };
  const { title } = entry;
  if (title === undefined)
    throw new ElderError('usage', 'the title is missing: --title, or a heading in the file');
  const note = input.text('reason') ?? '';
  const added = { body: '', ...entry, title, ifVersion: 0 } as KnowledgeInput;
  const result = await putEntry(new GatewayClient(session), added, note);
  session.print(result, () => putText(result, session.text));
}

import type { CommandInput } from '../../command-spec.ts';
import { GatewayClient } from '../../connection/gateway-client.ts';
import { entryText } from '../../knowledge/knowledge-text.ts';
import type { Session } from '../../session.ts';

/** Shows an entry, or a former version of it. Throws `not_found`. */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const [id] = input.arguments as [string];
  const version = input.number('at-version');
  const entry = await new GatewayClient(session).ask('knowledge_sage', 'sage.knowledge.show', {
    id,
    ...(version !== undefined && { version }),
  });
  session.print(entry, () => entryText(entry, session.text));
}

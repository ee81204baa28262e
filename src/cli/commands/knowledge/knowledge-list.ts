import type { KnowledgeKind } from '../../../protocol/knowledge.ts';
import type { CommandInput } from '../../command-spec.ts';
import { GatewayClient } from '../../connection/gateway-client.ts';
import { listOf } from '../../knowledge/entry-options.ts';
import { listText } from '../../knowledge/knowledge-text.ts';
import type { Session } from '../../session.ts';

/** Lists what is known, the newest first. */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const kind = input.text('kind') as KnowledgeKind | undefined;
  const { entries, total, more } = await new GatewayClient(session).ask(
    'knowledge_sage',
    'sage.knowledge.list',
    {
      limit: input.number('limit') ?? 50,
      kinds: kind === undefined ? [] : [kind],
      tags: listOf(input.text('tags')) ?? [],
      all: input.flag('all'),
    },
  );
  // A list is without bodies; an empty one would look like one.
  const document = { entries: entries.map(({ body: _, ...entry }) => entry), total, more };
  session.print(document, () => listText({ entries, total }, session.text));
}

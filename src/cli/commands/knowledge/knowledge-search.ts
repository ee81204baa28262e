import type { KnowledgeKind } from '../../../protocol/knowledge.ts';
import type { CommandInput } from '../../command-spec.ts';
import { GatewayClient } from '../../connection/gateway-client.ts';
import { listOf } from '../../knowledge/entry-options.ts';
import { hitsText } from '../../knowledge/knowledge-text.ts';
import type { Session } from '../../session.ts';

/** Finds what is known by words, Japanese or English. */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const [query] = input.arguments as [string];
  const kind = input.text('kind') as KnowledgeKind | undefined;
  const question = {
    query,
    limit: input.number('limit') ?? 5,
    kinds: kind === undefined ? [] : [kind],
    tags: listOf(input.text('tags')) ?? [],
    all: input.flag('all'),
    explain: input.flag('explain'),
  };
  const options = { timeoutMs: input.number('timeout') };
  const answer = await new GatewayClient(session).ask(
    'knowledge_sage',
    'sage.knowledge.search',
    question,
    options,
  );
  session.print(answer, () => hitsText(answer.entries, session.text));
}

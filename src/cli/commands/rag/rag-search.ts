import { resolve } from 'node:path';
import type { CommandInput } from '../../command-spec.ts';
import { GatewayClient } from '../../connection/gateway-client.ts';
import { ragAnswerText } from '../../rag/rag-text.ts';
import type { Session } from '../../session.ts';

/** Finds passages of what is indexed. */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const [query] = input.arguments as [string];
  const below = input.text('below');
  const question = {
    query,
    limit: input.number('limit') ?? 5,
    explain: input.flag('explain'),
    below: below === undefined ? null : resolve(session.cwd, below),
  };
  const options = { timeoutMs: input.number('timeout') };
  const answer = await new GatewayClient(session).ask('rag_sage', 'sage.rag.search', question, options);
  session.print(answer, () => ragAnswerText(answer, session));
}

import { resolve } from 'node:path';
import type { CommandInput } from '../../command-spec.ts';
import { GatewayClient } from '../../connection/gateway-client.ts';
import type { Session } from '../../session.ts';
import { manyLines } from '../../text/printable.ts';

/** Prints passages put together within a budget; the text goes to standard output, what is said of it beside it. */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const [query] = input.arguments as [string];
  const below = input.text('below');
  const question = {
    query,
    budget: input.number('budget') ?? 4_000,
    below: below === undefined ? null : resolve(session.cwd, below),
  };
  const options = { timeoutMs: input.number('timeout') };
  const answer = await new GatewayClient(session).ask('rag_sage', 'sage.rag.context', question, options);
  const { text } = session;
  session.print(answer, () => manyLines(answer.context));
  if (session.json) return;
  if (answer.context === '') session.note(text.rag.nothing);
  session.note(`${text.rag.methods[answer.method]}; ${text.rag.context(answer.tokens, answer.budget)}`);
}

import type { CommandInput } from '../../command-spec.ts';
import { GatewayClient } from '../../connection/gateway-client.ts';
import type { Session } from '../../session.ts';
import { dotOf, mermaidOf, treeOf } from '../../task/task-graph-text.ts';

const writers = { text: treeOf, dot: dotOf, mermaid: mermaidOf };

/** Prints the graph of a directive: as text, for Graphviz, or for Mermaid. Throws `not_found`. */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const { id, title, tasks } = await new GatewayClient(session).view(input.arguments[0]!);
  const format = (input.text('format') ?? 'text') as keyof typeof writers;
  const nodes = tasks.map(({ id, needs, state }) => ({ id, needs, state }));
  session.print({ directiveId: id, tasks: nodes }, () => writers[format]({ title, tasks }));
}

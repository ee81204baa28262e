import { resolve } from 'node:path';
import type { CommandInput } from '../../command-spec.ts';
import { GatewayClient } from '../../connection/gateway-client.ts';
import { withdrawFolder } from '../../rag/granted-folders.ts';
import type { Session } from '../../session.ts';

/** Takes a folder out of the index. Throws `not_found` when it is not indexed. */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const path = resolve(session.cwd, input.arguments[0]!);
  const source = await new GatewayClient(session).ask('grand_elder', 'development.rag.forget', { path });
  // Processes that run keep what they see; the next one does not get it.
  withdrawFolder(session.folder, path);
  session.print(source, () => `${session.text.rag.forgotten(path)}\n`);
}

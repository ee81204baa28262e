import { GatewayClient } from '../../connection/gateway-client.ts';
import { ragStatusText } from '../../rag/rag-text.ts';
import type { Session } from '../../session.ts';

/** Prints what is indexed, what was left out and why. */
export async function run(session: Session): Promise<void> {
  const status = await new GatewayClient(session).ask('rag_sage', 'sage.rag.status', {});
  session.print(status, () => ragStatusText(status, session));
}

import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { ElderError } from '../../../protocol/errors.ts';
import type { RagSource } from '../../../protocol/rag.ts';
import type { CommandInput } from '../../command-spec.ts';
import { GatewayClient } from '../../connection/gateway-client.ts';
import { ManagerClient } from '../../connection/manager-client.ts';
import { grantFolder } from '../../rag/granted-folders.ts';
import type { Session } from '../../session.ts';

const defaultWaitMs = 3_600_000;
/** One question; asked again until the time is over, and between two it is told how far the index is. */
const roundMs = 15_000;

/**
 * Has a folder indexed, and with `--wait` waits until all of it is. Throws `not_found` where there is nothing, and
 * `timed_out`. A folder outside of the project is shown to the RAG sage first, which takes a new process.
 */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const { folder, signal, text } = session;
  const path = realPath(resolve(session.cwd, input.arguments[0]!));
  const client = new GatewayClient(session);
  const deadline = performance.now() + (input.number('timeout') ?? defaultWaitMs);
  if (grantFolder(folder, path)) {
    session.note(text.rag.outside(path));
    await new ManagerClient(folder, signal).restart(['rag_sage'], () => {});
  }
  let source = await client.ask('grand_elder', 'development.rag.index', { path });
  if (!input.flag('wait')) {
    session.print(source, () => `${text.rag.queued(path)}\n`);
    return;
  }
  source = await settled(client, path, {
    deadline,
    onProgress: ({ files, passages }) => session.note(text.rag.progress(path, files, passages)),
  });
  if (source.state === 'failed') throw new ElderError('not_found', `${path}: ${source.reason}`);
  const seconds = (source.tookMs / 1_000).toFixed(1);
  session.print(source, () => `${text.rag.indexed(path, source.files, source.passages, seconds)}\n`);
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    throw new ElderError('not_found', `${path} cannot be read`, { cause: error });
  }
}

async function settled(
  client: GatewayClient,
  path: string,
  { deadline, onProgress }: { readonly deadline: number; readonly onProgress: (source: RagSource) => void },
): Promise<RagSource> {
  for (let isFirst = true; ; isFirst = false) {
    const left = deadline - performance.now();
    if (left <= 0) throw new ElderError('timed_out', `${path} is not indexed completely yet`);
    try {
      const options = { timeoutMs: Math.ceil(Math.min(left, roundMs)) };
      if (!isFirst) onProgress(await sourceOf(client, path, null, options));
      return await sourceOf(client, path, path, options);
    } catch (error) {
      if (!(error instanceof ElderError) || error.code !== 'timed_out') throw error;
    }
  }
}

/** The folder as the sage has it, at once or when `settled` is indexed completely. */
async function sourceOf(
  client: GatewayClient,
  path: string,
  settled: string | null,
  options: { readonly timeoutMs: number },
): Promise<RagSource> {
  const { sources } = await client.ask('rag_sage', 'sage.rag.status', { settled }, options);
  const source = sources.find((each) => each.path === path);
  if (source === undefined) throw new ElderError('not_found', `${path} is not indexed any more`);
  return source;
}

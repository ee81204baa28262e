import {
  type Cleaned,
  cleanLeftovers,
  type Leftover,
  listLeftovers,
} from '../../../elders/servant/git/leftovers.ts';
import type { CommandInput } from '../../command-spec.ts';
import { GatewayClient } from '../../connection/gateway-client.ts';
import type { Session } from '../../session.ts';
import type { Catalog } from '../../text/catalog.ts';
import { oneLine } from '../../text/printable.ts';
import { renderTable } from '../../text/table.ts';

/** The most tasks that can run at a time: one for each servant. */
const mostRunning = 500;

function rowOf(left: Leftover | Cleaned, text: Catalog): string[] {
  const t = text.clean;
  const what = left.kind === 'worktree' ? left.path : `${left.branch} (${left.repository})`;
  const state =
    left.kind === 'worktree' ? t.uncommitted(left.uncommitted) : left.merged ? t.merged : t.unmerged;
  const done =
    'done' in left ? `${t.done[left.done]}${left.reason === null ? '' : `: ${oneLine(left.reason)}`}` : '';
  return [t.kinds[left.kind], oneLine(what), state, done];
}

/** Lists what tasks left in git, and with `--yes` removes what nobody's work is lost by. Throws what the tree's elders do. */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const [directiveId] = input.arguments;
  const { text } = session;
  const where = { worktrees: session.folder.worktrees, project: session.folder.project, directiveId };
  if (!input.flag('yes')) {
    const leftovers = await listLeftovers(where);
    const table = () =>
      renderTable([text.clean.head.slice(0, 3), ...leftovers.map((left) => rowOf(left, text).slice(0, 3))]);
    session.print({ leftovers }, () =>
      leftovers.length === 0 ? `${text.clean.none}\n` : `${table()}${text.clean.hint}\n`,
    );
    return;
  }
  // Without the tree nobody can tell what still runs.
  const query = { states: ['running' as const], limit: mostRunning };
  const { tasks } = await new GatewayClient(session).ask('task_sage', 'sage.task.list', query);
  const busy = new Set(tasks.map((task) => `${task.directiveId}/${task.id}`));
  const isBusy = (directive: string, task: string) => busy.has(`${directive}/${task}`);
  const leftovers = await cleanLeftovers({ ...where, isBusy });
  session.print({ leftovers }, () =>
    leftovers.length === 0
      ? `${text.clean.none}\n`
      : renderTable([text.clean.head, ...leftovers.map((left) => rowOf(left, text))]),
  );
}

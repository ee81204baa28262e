import { isSameProcess, signalProcess, waitUntilGone } from '../../../telemetry/process-identity.ts';
import { killGroup, waitUntilGroupGone } from './process-group.ts';
import { readSandboxRecord, removeSandboxRecord, type SandboxRecord } from './sandbox-record.ts';

/** What a predecessor had left: nothing, the record of a command that is over, or one that had to be killed. */
export type Reaped =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'over' | 'killed'; readonly record: SandboxRecord };

/**
 * Ends the command that a servant's predecessor left running, if it did, and removes its record; a servant
 * does this before anything else. Only the very process that the record names is signalled. Throws `timed_out`
 * if it still lives after `deadlineMs` (the record then stays), `internal` for a
 * record that cannot be read.
 */
export async function reapSandbox(recordPath: string, deadlineMs = 10_000): Promise<Reaped> {
  const record = await readSandboxRecord(recordPath);
  if (record === undefined) return { kind: 'nothing' };
  const killed = end(record);
  await waitUntilGone(record, deadlineMs);
  if (killed && record.kind === 'none') await waitUntilGroupGone(record.pid, deadlineMs);
  await removeSandboxRecord(recordPath);
  return { kind: killed ? 'killed' : 'over', record };
}

function end(record: SandboxRecord): boolean {
  if (record.kind === 'bubblewrap') return signalProcess(record, 'SIGKILL');
  return isSameProcess(record) && killGroup(record.pid, 'SIGKILL');
}

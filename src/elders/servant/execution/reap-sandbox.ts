import { endMarkedProcesses } from '../../../telemetry/marked-processes.ts';
import { removeSandboxGroups, removeSocketFolders } from '../../../telemetry/sandbox-leftovers.ts';
import { readSandboxRecord, removeSandboxRecord, type SandboxRecord } from './sandbox-record.ts';

/** What a predecessor had left: nothing, the record of a command that is over, or one that had to be killed. */
export type Reaped =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'over' | 'killed'; readonly record: SandboxRecord };

/**
 * Ends the command that a servant's predecessor left running, if it did, and removes its record; a servant
 * does this before anything else. Only processes that carry the mark of the record are signalled, those of a
 * sandbox that was still being made included. Throws `timed_out` if one still lives after `deadlineMs` (the
 * record then stays), `internal` for a record that cannot be read.
 */
export async function reapSandbox(recordPath: string, deadlineMs = 10_000): Promise<Reaped> {
  removeSocketFolders(recordPath);
  const record = await readSandboxRecord(recordPath);
  if (record === undefined) return { kind: 'nothing' };
  // In a sandbox the kernel ends the rest of the namespace with its first process.
  const killed = await endMarkedProcesses(record.mark, { groups: record.kind === 'none', deadlineMs });
  removeSandboxGroups(record.mark);
  removeSandboxRecord(recordPath);
  return { kind: killed ? 'killed' : 'over', record };
}

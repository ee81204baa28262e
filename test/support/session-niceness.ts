import { readFileSync } from 'node:fs';

/** How far the session of a process stands back for others; `null` where the kernel does not share the processor by sessions. */
export function sessionNiceness(pid: number): number | null {
  try {
    if (readFileSync('/proc/sys/kernel/sched_autogroup_enabled', 'utf8').trim() !== '1') return null;
    const found = /nice (-?\d+)/.exec(readFileSync(`/proc/${pid}/autogroup`, 'utf8'));
    return found === null ? null : Number(found[1]);
  } catch {
    return null;
  }
}

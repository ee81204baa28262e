import { readdirSync, readFileSync, statfsSync } from 'node:fs';
import type { CommandLimits } from './limits.ts';

/** Ms between two looks at a sandbox: the kernel bounds each process, but nothing short of a cgroup all of them. */
const interval = 250;

/** The kernel counts CPU time in hundredths of a second on every architecture that Node runs on. */
const tickMs = 10;
const pageBytes = 4_096;

interface Usage {
  /** Bytes that are nobody else's. */
  readonly memory: number;
  readonly cpuTime: number;
}

/**
 * Looks at what the processes of a sandbox use together, until the returned function is called; calls
 * `onExceeded` once with the limit that they passed. `guard` is the pid of its process 1.
 */
export function watchSandbox(options: {
  guard: number;
  workspace: string;
  limits: CommandLimits;
  onExceeded: (reason: string) => void;
}): () => void {
  const { guard, workspace, limits, onExceeded } = options;
  const timer = setInterval(() => {
    const reason = exceeded(guard, limits) ?? fullDisk(workspace, limits);
    if (reason === undefined) return;
    clearInterval(timer);
    onExceeded(reason);
  }, interval);
  return () => clearInterval(timer);
}

function exceeded(guard: number, limits: CommandLimits): string | undefined {
  // What process 1 of a PID namespace sees as /proc is exactly its namespace.
  const folder = `/proc/${guard}/root/proc`;
  const pids = list(folder).filter((name) => /^\d+$/.test(name));
  // At once: to look at each of too many would take the longer the more there are.
  if (pids.length > limits.processes) return `more than ${limits.processes} processes`;
  const usage = readUsage(pids.map((pid) => `${folder}/${pid}`));
  if (usage.memory > limits.memory) return `more than ${megabytes(limits.memory)} MB of memory`;
  if (usage.cpuTime > limits.cpuTime) return `more than ${limits.cpuTime / 1_000} s of CPU time`;
  return undefined;
}

function fullDisk(workspace: string, limits: CommandLimits): string | undefined {
  const { bavail, bsize } = statfsSync(workspace);
  return bavail * bsize < limits.diskReserve
    ? `less than ${megabytes(limits.diskReserve)} MB are left on the disk of the workspace`
    : undefined;
}

function readUsage(folders: readonly string[]): Usage {
  let memory = 0;
  let cpuTime = 0;
  for (const folder of folders) {
    const [, resident = 0, shared = 0] = read(`${folder}/statm`).split(' ').map(Number);
    memory += Math.max(0, resident - shared) * pageBytes;
    const line = read(`${folder}/stat`);
    // Fields 14 to 17: its own time and that of the children it has waited for, which are not seen any more.
    const fields = line
      .slice(line.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 15)
      .map(Number);
    cpuTime += fields.reduce((sum, ticks) => sum + ticks, 0) * tickMs;
  }
  return { memory, cpuTime };
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Empty where the process has gone meanwhile. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1_000_000);
}

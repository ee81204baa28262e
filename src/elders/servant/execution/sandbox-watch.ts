import { readdirSync, readFileSync, statfsSync } from 'node:fs';
import type { AttemptUsage } from '../../../protocol/directive.ts';
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

/** A watch over a sandbox. */
export interface SandboxWatch {
  stop(): void;
  /** What the command used until the last look; `undefined` where it was over before the first. */
  usage(): AttemptUsage | undefined;
}

/** Of processes that have ended only the CPU time is left, with those that waited for them. */
class Peaks {
  #usage: AttemptUsage | undefined;
  readonly #moved = new Map<string, { readBytes: number; writtenBytes: number }>();

  note(usage: Usage, processes: readonly string[]): void {
    for (const folder of processes) {
      const moved = read(`${folder}/io`);
      const amount = (name: string) => Number(new RegExp(`^${name}: (\\d+)`, 'm').exec(moved)?.[1] ?? 0);
      if (moved !== '')
        this.#moved.set(folder, { readBytes: amount('rchar'), writtenBytes: amount('wchar') });
    }
    const sum = (of: 'readBytes' | 'writtenBytes') =>
      [...this.#moved.values()].reduce((all, one) => all + one[of], 0);
    this.#usage = {
      cpuMs: Math.max(this.#usage?.cpuMs ?? 0, usage.cpuTime),
      memoryPeak: Math.max(this.#usage?.memoryPeak ?? 0, usage.memory),
      readBytes: sum('readBytes'),
      writtenBytes: sum('writtenBytes'),
    };
  }

  get(): AttemptUsage | undefined {
    return this.#usage;
  }
}

/**
 * Looks at what the processes of a sandbox use together, until it is stopped; calls
 * `onExceeded` once with the limit that they passed. `guard` is the pid of its process 1.
 */
export function watchSandbox(options: {
  guard: number;
  workspace: string;
  limits: CommandLimits;
  onExceeded: (reason: string) => void;
}): SandboxWatch {
  const { guard, workspace, limits, onExceeded } = options;
  const peaks = new Peaks();
  const timer = setInterval(() => {
    const reason = exceeded(guard, limits, peaks) ?? fullDisk(workspace, limits);
    if (reason === undefined) return;
    clearInterval(timer);
    onExceeded(reason);
  }, interval);
  return { stop: () => clearInterval(timer), usage: () => peaks.get() };
}

function exceeded(guard: number, limits: CommandLimits, peaks: Peaks): string | undefined {
  // What process 1 of a PID namespace sees as /proc is exactly its namespace.
  const folder = `/proc/${guard}/root/proc`;
  const pids = list(folder).filter((name) => /^\d+$/.test(name));
  // At once: to look at each of too many would take the longer the more there are.
  if (pids.length > limits.processes) return `more than ${limits.processes} processes`;
  const processes = pids.map((pid) => `${folder}/${pid}`);
  const usage = readUsage(processes);
  // What has just ended uses nothing, which says nothing about what it used.
  if (usage.memory > 0) peaks.note(usage, processes);
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

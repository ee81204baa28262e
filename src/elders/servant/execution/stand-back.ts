import { readFileSync, writeFileSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';

const mostNice = 19;

/** What is added, in thousandths of all memory, to what a process uses when the kernel looks for one to kill. */
const firstToGo = 500;
const mostToGo = 1_000;

/** The kernel takes one change of a session in 100 ms, of all users but root together. */
const retryMs = 150;
const tries = 40;

/**
 * Has a process stand back for this one, with all that it will start: for the processor by `niceness` (0 to 19), and when
 * memory runs out it goes first. Call the returned function once it is gone. Throws the system's error.
 */
export function standBack(pid: number, niceness: number): () => void {
  // Counted from where we stand: only root may take less.
  setPriority(pid, Math.min(mostNice, getPriority() + niceness));
  if (process.platform !== 'linux') return () => {};
  write(`/proc/${pid}/oom_score_adj`, Math.min(mostToGo, ownOomScore() + firstToGo));
  // Where the kernel shares the processor among sessions first (CONFIG_SCHED_AUTOGROUP), niceness counts
  // only within one, and a command has a session of its own.
  let timer: NodeJS.Timeout | undefined;
  const niceSession = (left: number) => {
    if (write(`/proc/${pid}/autogroup`, niceness) !== 'EAGAIN' || left === 0) return;
    timer = setTimeout(() => niceSession(left - 1), retryMs * (1 + Math.random()));
  };
  niceSession(tries);
  return () => clearTimeout(timer);
}

function ownOomScore(): number {
  try {
    return Number(readFileSync('/proc/self/oom_score_adj', 'latin1'));
  } catch {
    return 0;
  }
}

/** Gives the system's code where it will not have it. */
function write(path: string, value: number): string | undefined {
  try {
    writeFileSync(path, String(value));
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}

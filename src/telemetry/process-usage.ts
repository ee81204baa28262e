import { readFileSync } from 'node:fs';

/** The kernel counts CPU time in this many ms; Linux shows it in hundredths of a second on every architecture Node runs on. */
const tickMs = 10;

function resident(status: string): number | undefined {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1_024;
}

/** Reads how many bytes of memory a process holds now; `undefined` if there is none, or the system does not tell. */
export function readResidentMemory(pid: number): number | undefined {
  try {
    return resident(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Reads how much CPU time a process has used since its start, in ms; `undefined` if there is none, or the system does not tell. */
export function readCpuTime(pid: number): number | undefined {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command name may itself hold spaces and parentheses: the last one ends it.
    const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * tickMs;
  } catch {
    return undefined;
  }
}

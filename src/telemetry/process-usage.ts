import { readFileSync } from 'node:fs';

/** The kernel counts CPU time in this many ms; Linux shows it in hundredths of a second on every architecture Node runs on. */
const tickMs = 10;

/** Under which number the kernel tells a program the size of a page. */
const pageSizeEntry = 6;
let pageBytes: number | undefined;

/** Reads the size of a page of memory out of what the kernel gave this program at its start: pairs of 64-bit numbers. */
function pageSize(): number {
  if (pageBytes !== undefined) return pageBytes;
  const vector = new BigUint64Array(new Uint8Array(readFileSync('/proc/self/auxv')).buffer);
  const at = vector.findIndex((value, index) => index % 2 === 0 && value === BigInt(pageSizeEntry));
  pageBytes = Number(vector[at + 1] ?? 4_096n);
  return pageBytes;
}

/** Reads how many bytes of memory a process holds now; `undefined` if there is none, or the system does not tell. */
export function readResidentMemory(pid: number): number | undefined {
  try {
    // One short line; `status`, which tells it too, costs ten times as much to make and to read.
    const pages = Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ', 2)[1]);
    return pages > 0 ? pages * pageSize() : undefined;
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

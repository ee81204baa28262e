import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A living process that holds on to a folder, and how it was recognised. */
interface Holder {
  readonly pid: number;
  readonly command: string;
  readonly by: string;
}

function orElse<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

function holds(pid: number, folder: string): string | undefined {
  const root = `/proc/${pid}`;
  // Null bytes separate arguments and variables; a boundary keeps /tmp/a from matching /tmp/ab.
  const mentions = (text: string) =>
    text.split(/[\0:=\s]/).some((part) => part === folder || part.startsWith(`${folder}/`));
  if (mentions(orElse(() => readFileSync(`${root}/cmdline`, 'utf8'), ''))) return 'command line';
  if (mentions(orElse(() => readlinkSync(`${root}/cwd`), ''))) return 'working folder';
  if (mentions(orElse(() => readFileSync(`${root}/environ`, 'utf8'), ''))) return 'environment';
  for (const fd of orElse(() => readdirSync(`${root}/fd`), [])) {
    if (mentions(orElse(() => readlinkSync(`${root}/fd/${fd}`), ''))) return `file descriptor ${fd}`;
  }
  return undefined;
}

/**
 * Lists the living processes of this host that name `folder` (absolute) in their command line, working
 * folder, environment or open files, those in other PID namespaces included. Linux only; elsewhere empty.
 */
export function processesTouching(folder: string): Holder[] {
  const found: Holder[] = [];
  for (const entry of orElse(() => readdirSync('/proc'), [])) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const by = holds(pid, folder);
    if (by === undefined) continue;
    const state = /\)\s(\w)/.exec(orElse(() => readFileSync(`/proc/${pid}/stat`, 'latin1'), ''))?.[1];
    if (state === undefined || state === 'Z' || state === 'X') continue;
    const command = orElse(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'), '')
      .replaceAll('\0', ' ')
      .trim();
    found.push({ pid, command, by });
  }
  return found;
}

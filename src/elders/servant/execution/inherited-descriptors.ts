import { readdirSync, readFileSync } from 'node:fs';

/** Bit of `flags` in `/proc/PID/fdinfo/FD` that closes a descriptor on exec. */
const closeOnExec = 0o2000000;

/**
 * Lists descriptors, counted from `from`, that a child would inherit although nobody gives them to it: Node opens none such, but the
 * shell or editor that started the tree may have left some open, and one of a folder is a way out of a sandbox.
 */
export function inheritedDescriptors(from: number): number[] {
  if (process.platform !== 'linux') return [];
  // Those that the process began with: it opens no more of them, and to look at all of its own takes a while.
  begunWith ??= readdirSync('/proc/self/fd').map(Number).filter(isInherited);
  return begunWith.filter((fd) => fd >= from && isInherited(fd));
}

let begunWith: readonly number[] | undefined;

function isInherited(fd: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & closeOnExec) === 0;
  } catch {
    return false;
  }
}

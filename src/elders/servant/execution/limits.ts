/** What one attempt at a command may use. Sizes are bytes. */
export interface CommandLimits {
  /** Memory of all its processes together. */
  readonly memory: number;
  /** Processes and threads. */
  readonly processes: number;
  /** CPU time of all its processes together, in ms. */
  readonly cpuTime: number;
  /** The largest file that it may write. */
  readonly fileSize: number;
  /** What each of its temporary folders may hold. */
  readonly temporary: number;
  /** What is kept of its output. */
  readonly output: number;
  /** It is ended when less than this is left on the disk of its workspace. */
  readonly diskReserve: number;
  /** How far it stands back for others where the processor is short, from 0 to 19. */
  readonly niceness: number;
}

/** `RLIMIT_FSIZE` is set in blocks, `RLIMIT_DATA` in kibibytes. */
const posixBlockBytes = 512;
const kibibyte = 1_024;

/** What a program may reserve without using it: Node sets more than half a gigabyte apart before it does anything. */
const reservedBytes = 1_000_000_000;

/**
 * Gives the lines of shell that set what the kernel bounds by itself for the command. `RLIMIT_NPROC` counts the
 * processes of a user within a user namespace, so it is set only in a sandbox, and binds root not at all.
 */
export function limitLines(
  limits: CommandLimits,
  sandboxed: boolean,
  /** Bash has blocks of its own. */
  blockBytes = posixBlockBytes,
): string {
  const settings = [
    'ulimit -c 0',
    `ulimit -f ${Math.ceil(limits.fileSize / blockBytes)}`,
    `ulimit -d ${Math.ceil((limits.memory + reservedBytes) / kibibyte)}`,
  ];
  // The letter differs between shells, and one that does not know it ends.
  const processes = `if ( ulimit -u ${limits.processes} ); then ulimit -u ${limits.processes}; else ulimit -p ${limits.processes}; fi`;
  return [...settings, ...(sandboxed ? [processes] : [])].map((line) => `${line} || :`).join('; ');
}

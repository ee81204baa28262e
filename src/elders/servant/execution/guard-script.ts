import { existsSync } from 'node:fs';
import { type CommandLimits, limitLines } from './limits.ts';
import type { SandboxKind } from './sandbox.ts';

const bashPaths = ['/bin/bash', '/usr/bin/bash', '/usr/local/bin/bash', '/opt/homebrew/bin/bash'];

/** Descriptor on which the guard and the servant talk, one word a line. */
export const controlFd = 3;

/**
 * Variable that holds the task's own NODE_OPTIONS on its way to the guard: Node puts the permissions of the
 * servant in the place of the real one, and they would break the user's own Node.
 */
export const taskNodeOptions = 'ELDERS_NODE_OPTIONS';

/** Exit code of the guard when its servant died before it gave the word to begin. */
const orphaned = 125;

/**
 * The program that stands between a sandbox and the command. It says `ready`, waits for `go`, so that no
 * command runs before its record is on disk, and runs the command as a child, so that no signal is ignored
 * there. Beside it waits a listener: each line from the servant becomes a SIGTERM to all, and the end of the
 * connection, which is the end of the servant, a SIGKILL.
 *
 * The guard itself prints nothing, and redirects in a subshell, or "Terminated" would stand in the output of a command that was ended.
 *
 * In bubblewrap the guard is process 1 of the namespace: when it exits, the kernel kills all that is left in
 * there. Without a sandbox it leads a process group, says `exit CODE` and waits to be killed with the group:
 * while it lives, the number of the group cannot become another's. Its listener it ends itself: one that is left to the
 * host to be reaped would be looked for among all processes.
 */
const guards: Readonly<Record<SandboxKind, (limits: string) => string>> = {
  bubblewrap: (limits) => `
    exec 2>/dev/null
    echo ready >&${controlFd}
    read -r word <&${controlFd} || exit ${orphaned}
    ( trap '' TERM INT HUP
      while read -r word <&${controlFd}; do kill -TERM -1; done
      kill -KILL -1 ) >/dev/null &
    ( ${limits}; exec "$@" 2>&1 ${controlFd}<&- )
    exit $?`,
  none: (limits) => `
    exec 2>/dev/null
    unset NODE_OPTIONS
    [ -n "\${${taskNodeOptions}+set}" ] && export NODE_OPTIONS="$${taskNodeOptions}" && unset ${taskNodeOptions}
    trap : TERM INT HUP
    echo ready >&${controlFd}
    read -r word <&${controlFd} || exit ${orphaned}
    ( trap '' TERM INT HUP
      while read -r word <&${controlFd}; do :; done
      kill -KILL -$$ ) >/dev/null &
    listener=$!
    ( ${limits}; exec "$@" 2>&1 ${controlFd}<&- )
    code=$?
    kill -KILL $listener
    wait $listener
    trap '' PIPE
    echo "exit $code" >&${controlFd}
    exec >/dev/null
    while :; do read -r word <&${controlFd} || kill -KILL -$$; done`,
};

/** Where there is a bash; `undefined` if there is none. */
export function findBash(): string | undefined {
  return bashPaths.find((path) => existsSync(path));
}

/** The shell that runs command lines, with its options: they come after it. */
export function commandShell(): string[] {
  const bash = findBash();
  return bash === undefined ? ['/bin/sh', '-e', '-c'] : [bash, '-e', '-o', 'pipefail', '-c'];
}

/**
 * Gives the arguments of `/bin/sh` that run a command line under guard; `mark` is its `$0`. The command line is run by
 * `bash -e -o pipefail`, as CI systems do, or by `sh -e` where there is no bash.
 */
export function guardedShell(options: {
  kind: SandboxKind;
  mark: string;
  limits: CommandLimits;
  commandLine: string;
  /** Puts a program before the command. */
  before?: (command: readonly string[]) => string[];
}): string[] {
  const { kind, mark, limits, commandLine, before = (command) => [...command] } = options;
  return [
    '-c',
    guards[kind](limitLines(limits, kind === 'bubblewrap')),
    mark,
    ...before([...commandShell(), commandLine]),
  ];
}

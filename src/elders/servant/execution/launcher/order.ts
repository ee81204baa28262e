import { type CommandLimits, limitLines } from '../limits.ts';
import { launcherFd } from './launcher-script.ts';

/** In which `ulimit -f` counts in bash. */
const bashBlockBytes = 1_024;

/** Descriptor on which the leader holds the output until the command has it. */
const outputFd = launcherFd + 1;

/** What a command is to be started with. */
export interface Order {
  /** Program and arguments. */
  readonly command: readonly string[];
  readonly workspace: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly limits: CommandLimits;
  /** Path of the FIFO that takes the output. */
  readonly output: string;
}

/** Variables that mean something to bash itself: it would not hand them on as they are, or behave otherwise. */
const ofBash =
  /^(BASH.*|COMP_.*|COPROC|DIRSTACK|E?UID|EPOCH.*|EXECIGNORE|FIGNORE|FUNCNAME|GLOBIGNORE|GROUPS|HIST.*|IFS|LINENO|MAPFILE|OLDPWD|OPT.*|PIPESTATUS|POSIXLY_CORRECT|PPID|PS4|PWD|RANDOM|READLINE.*|REPLY|SECONDS|SHELLOPTS|SHLVL|SRANDOM|TIMEFORMAT|TMOUT|_)$/;

/** Whether a launcher can give a command these variables. */
export function canOrder(environment: Readonly<Record<string, string>>): boolean {
  return Object.keys(environment).every(
    (name) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !ofBash.test(name),
  );
}

/**
 * Writes an order as a launcher reads it; `known` are the variables that it has itself. It is one compound command, so that
 * bash has read all of it before a variable of the task's changes how bash reads. The output is open before anything is
 * told, so that it ends with a command that is ended at once.
 */
export function orderText(
  { command, workspace, environment, limits, output }: Order,
  known: Readonly<Record<string, string>>,
): string {
  const exported = Object.entries(environment)
    .filter(([name, value]) => known[name] !== value)
    .map(([name, value]) => `${name}=${quoted(value)}`);
  const absent = Object.keys(known).filter((name) => !(name in environment));
  const variables = [
    `unset OLDPWD SHLVL ${absent.join(' ')}`,
    ...(exported.length > 0 ? [`export ${exported.join(' ')}`] : []),
  ];
  const limited = limitLines(limits, false, bashBlockBytes);
  return `{
cd -- ${quoted(workspace)} || return
echo "pid $number $BASHPID" >&${launcherFd}
( ${variables.join('; ')}; ${limited}; exec ${command.map(quoted).join(' ')} ) </dev/null >&${outputFd} 2>&1 ${launcherFd}>&- ${outputFd}>&-
code=$?
} ${outputFd}>${quoted(output)}
`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

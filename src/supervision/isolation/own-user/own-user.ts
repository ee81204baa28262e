import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { ElderError } from '../../../protocol/errors.ts';
import type { StateFolder } from '../../../protocol/state-folder.ts';
import { writeFileAtomic } from '../../atomic-file.ts';
import { mappingScript } from './mapping-script.ts';

/** How many users a tree can have processes of; more processes than these there are not. */
const count = 256;

/** Folders of the system only, as for bubblewrap: in one of PATH a command of a task may have laid a program. */
const folders = ['/usr/bin', '/bin', '/run/current-system/sw/bin'];

/** Programs that make a process of root one of another user. */
export interface UserTools {
  readonly unshare: string;
  readonly perl: string;
  readonly setpriv: string;
}

/** Finds what an elder of root needs to become a process of a user of its own. */
export function findUserTools(folder: StateFolder): UserTools | { reason: string } {
  const owner = statSync(folder.project).uid;
  if (owner !== 0) return { reason: `${folder.project} belongs to user ${owner}: run the tree as that user` };
  const found = ['unshare', 'perl', 'setpriv'].map((name) =>
    folders.map((path) => `${path}/${name}`).find((path) => existsSync(path)),
  );
  const [unshare, perl, setpriv] = found;
  if (unshare === undefined || perl === undefined || setpriv === undefined) {
    return { reason: 'a user of its own takes unshare, setpriv and perl' };
  }
  return { unshare, perl, setpriv };
}

/** Counted on from a number that another manager hardly has, so that of two elders started at once each gets its own. */
let last = Math.floor(Math.random() * count);

/** Chooses a user, counted from `first`, that no process of this host belongs to. Throws `start_failed` if there is none. */
export function unusedUser(first: number): number {
  const used = new Set(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((pid) => statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid),
  );
  for (let tried = 0; tried < count; tried += 1) {
    last = (last + 1) % count;
    if (!used.has(first + last)) return first + last;
  }
  throw new ElderError('start_failed', `all users from ${first} to ${first + count - 1} have processes`);
}

/**
 * Gives the command line that becomes `command` as this user, for whom the given places are its own. It stays one
 * process, so its pid, its end and its descriptors are those of the command.
 */
export function asUser(
  tools: UserTools,
  user: number,
  places: readonly string[],
  command: readonly string[],
): string[] {
  return [
    ...[tools.unshare, '--mount', '--propagation', 'private', '--'],
    ...[tools.perl, '-e', mappingScript, '--', tools.unshare, String(user), ...places, '--'],
    ...[tools.setpriv, `--reuid=${user}`, `--regid=${user}`, '--clear-groups', '--inh-caps=-all', '--'],
    ...command,
  ];
}

/**
 * Gives bubblewrap's arguments by which these users have names in the view of an elder: git and ssh fail without. Rejects with
 * the error of the file system.
 */
export async function userNameArguments(folder: StateFolder, first: number): Promise<string[]> {
  const users = Array.from({ length: count }, (_, index) => ({ name: `elders${index}`, id: first + index }));
  const lines = {
    passwd: users.map(({ name, id }) => `${name}:x:${id}:${id}:Elders Tree:${homedir()}:/bin/sh\n`),
    group: users.map(({ name, id }) => `${name}:x:${id}:\n`),
  };
  mkdirSync(folder.users, { recursive: true, mode: 0o700 });
  const shown = Object.entries(lines).map(async ([name, added]) => {
    const path = join(folder.users, name);
    const text = readFileSync(`/etc/${name}`, 'utf8').replace(/([^\n])$/, '$1\n') + added.join('');
    // Elders that run look at this very file.
    if (!existsSync(path) || readFileSync(path, 'utf8') !== text) await writeFileAtomic(path, text);
    return ['--ro-bind', path, `/etc/${name}`];
  });
  return (await Promise.all(shown)).flat();
}

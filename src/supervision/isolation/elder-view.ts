import { existsSync, lstatSync, readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../protocol/config.ts';
import type { StateFolder } from '../../protocol/state-folder.ts';
import { isFolder } from '../../telemetry/host-folders.ts';
import { type Boundary, namespaceArguments, withoutRootsPower } from './boundary.ts';
import { placesOf } from './elder-places.ts';
import type { ElderProgram } from './elder-program.ts';
import { type SparePlaces, spareFolderArguments } from './spare-places.ts';

/** Folders of the system that programs and their libraries lie in. */
const systemFolders = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32', '/nix/store'];

/** What name look-ups, time zones and the dynamic linker read of `/etc`. */
const systemFiles = [
  ...['hosts', 'host.conf', 'resolv.conf', 'nsswitch.conf', 'gai.conf', 'localtime', 'passwd', 'group'],
  ...['ld.so.cache', 'ld.so.conf', 'ld.so.conf.d', 'alternatives', 'ssl/certs', 'ssl/openssl.cnf', 'pki'],
].map((name) => `/etc/${name}`);

/** What is below `/run` that programs of the system are reached by; the rest are sockets of other programs. */
const runFolders = ['/run/current-system', '/run/wrappers', '/run/opengl-driver'];

/** What an elder's view is made of. */
interface View {
  readonly name: string;
  readonly folder: StateFolder;
  readonly program: ElderProgram;
  readonly boundary: Boundary;
  readonly config: Pick<Config, 'sandbox' | 'sandboxWritable'>;
  /** Given where the process will be told later which of some elders it is. */
  readonly spare?: SparePlaces;
  /** Further arguments of bubblewrap. */
  readonly shown: readonly string[];
}

/** Gives bubblewrap's arguments for an elder: its namespaces and all that it sees of the files. */
export function elderViewArguments(view: View): string[] {
  const { folder, program, boundary, config, spare, shown } = view;
  const name = spare === undefined ? view.name : (spare.names[0] ?? '');
  const places = placesOf(name, folder);
  const { capabilities, settings } = withoutRootsPower(boundary);
  const personal = places.personal.flatMap((path) => ['--bind', path, path]);
  return [
    ...namespaceArguments,
    ...capabilities,
    ...(places.startsPrograms
      ? servantView(folder, config)
      : roleView(folder, program, places.reads, settings)),
    ...shown,
    ...places.shared.flatMap((path) => ['--bind', path, path]),
    ...(spare === undefined ? personal : spareFolderArguments(spare, folder)),
    ...['--chdir', folder.project, '--'],
  ];
}

/** Only what is named: the system, the program, and what the role reads. */
function roleView(
  folder: StateFolder,
  program: ElderProgram,
  reads: readonly string[],
  settings: readonly string[],
): string[] {
  const { program: paths = [], cache = '' } = program.files ?? {};
  return [
    ...systemFolders.flatMap(shownFolder),
    ...systemFiles
      .filter((path) => existsSync(path))
      .flatMap((path) => ['--ro-bind', realpathSync(path), path]),
    ...['--dev', '/dev', '--proc', '/proc', ...settings],
    ...['--tmpfs', '/tmp'],
    ...reads.flatMap((path) => ['--ro-bind', path, path]),
    ...[...paths, realpathSync(program.command)].flatMap((path) => ['--ro-bind', path, path]),
    ...(existsSync(cache) ? ['--ro-bind', cache, cache] : []),
    ...(reads.includes(folder.project) ? hidden(folder) : ['--dir', folder.project]),
  ];
}

/**
 * All that the user has, because a task may be for any folder of his, but no other tree's or elder's secrets, and
 * without writing to what runs programs in his name.
 */
function servantView(folder: StateFolder, config: View['config']): string[] {
  const resolver = existsSync('/etc/resolv.conf') ? realpathSync('/etc/resolv.conf') : '/';
  const kept = [...runFolders, ...(resolver.startsWith('/run/') ? [resolver] : [])].filter((path) =>
    existsSync(path),
  );
  return [
    ...['--bind', '/', '/', '--dev', '/dev', '--proc', '/proc'],
    ...(isFolder('/run') ? ['--tmpfs', '/run', ...kept.flatMap((path) => ['--ro-bind', path, path])] : []),
    ...(config.sandbox === 'none' ? [] : protectedHome(folder, config.sandboxWritable)),
    ...hidden(folder),
  ];
}

/**
 * Shows the home read-only but for the folders of his work: whoever writes `.bashrc`, `.ssh` or a new file beside them
 * runs programs outside of any boundary at the next login. Without a sandbox commands need what is there.
 */
function protectedHome(folder: StateFolder, writable: readonly string[]): string[] {
  const home = existsSync(homedir()) ? realpathSync(homedir()) : '/';
  const project = realpathSync(folder.project);
  const within = (path: string) => path.startsWith(`${home}/`);
  if (home === '/' || project === home) return [];
  const folders = readdirSync(home, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => join(home, name));
  const named = [project, ...writable.filter((path) => existsSync(path)).map((path) => realpathSync(path))];
  return [
    ...['--ro-bind', home, home],
    ...[...folders, ...named.filter(within)].flatMap((path) => ['--bind', path, path]),
  ];
}

function hidden(folder: StateFolder): string[] {
  return ['--tmpfs', folder.root];
}

/** On many systems some of these are links into `/usr`. */
function shownFolder(path: string): string[] {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.isSymbolicLink()) return ['--symlink', readlinkSync(path), path];
  return found?.isDirectory() ? ['--ro-bind', path, path] : [];
}

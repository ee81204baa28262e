import { existsSync, realpathSync, statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { ElderError } from '../../../protocol/errors.ts';
import { kernelSettingsReadOnly } from '../../../telemetry/bubblewrap-program.ts';
import { foreignFolders, isFolder } from '../../../telemetry/host-folders.ts';
import { emptied, rootOnlyFiles } from './hidden-places.ts';
import { contains } from './path-containment.ts';
import { toolFolders } from './tool-folders.ts';

/** Home of a command when the user's own lies within the workspace or cannot be masked. */
const substituteHome = '/tmp/home';

/** What root keeps in the sandbox: enough to unpack and own files, nothing that undoes a mount. */
const rootCapabilities = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID'];

/** What a command may see and do. All paths are absolute and must exist. */
export interface SandboxPolicy {
  readonly workspace: string;
  /** Where the command begins; the workspace without it. */
  readonly startIn?: string;
  /** The workspace may not be written. */
  readonly workspaceReadOnly?: boolean;
  /** The workspace lies in a masked folder, as the only thing of it that is shown: a worktree. */
  readonly workspaceUnmasked?: boolean;
  /** Shown empty, even where they lie within the workspace: the tree's `.elders`. */
  readonly masked: readonly string[];
  /** Writable besides the workspace. */
  readonly writable: readonly string[];
  /** Not writable, even where they lie within the workspace. */
  readonly readOnly: readonly string[];
  readonly network: boolean;
  /** How much each of its temporary folders may hold, in bytes; they lie in memory. `null`: as much as there is. */
  readonly temporaryBytes: number | null;
  /** Further arguments of bubblewrap, for what it shows below `/run`. */
  readonly shown: readonly string[];
  /** The user's home, which is shown empty. */
  readonly home: string;
}

/** Gives the arguments that wall off processes and file system, without any place of the user's in it. */
export function isolationArguments(options: Pick<SandboxPolicy, 'network' | 'temporaryBytes'>): string[] {
  const asRoot = process.geteuid?.() === 0;
  return [
    ...['--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'],
    ...(options.network ? [] : ['--unshare-net']),
    ...['--die-with-parent', '--new-session', '--as-pid-1'],
    ...(asRoot
      ? ['--cap-drop', 'ALL', ...rootCapabilities.flatMap((name) => ['--cap-add', `CAP_${name}`])]
      : []),
    ...['--ro-bind', '/', '/', '--dev', '/dev', '--proc', '/proc'],
    ...kernelSettingsReadOnly(),
    ...emptied.filter(isFolder).flatMap((path) => boundedFolder(path, options)),
  ];
}

function boundedFolder(path: string, { temporaryBytes }: Pick<SandboxPolicy, 'temporaryBytes'>): string[] {
  return [...(temporaryBytes === null ? [] : ['--size', String(temporaryBytes)]), '--tmpfs', path];
}

/** Gives the folder that is HOME in the sandbox: the user's own, emptied, unless the workspace holds it. */
export function sandboxHome({ home, workspace }: { home: string; workspace: string }): string {
  const real = existsSync(home) ? realpathSync(home) : '/';
  return real === '/' || contains(realFolder(workspace, 'workspace'), real) ? substituteHome : real;
}

/**
 * Gives bubblewrap's arguments for one command. Later mounts cover earlier ones, so their order is the
 * policy: homes are emptied, the tools of PATH come back, then the workspace, and what is masked comes last.
 * Throws `malformed` for a path or variable that cannot be used.
 */
export function bubblewrapArguments(
  policy: SandboxPolicy,
  environment: Readonly<Record<string, string>>,
): string[] {
  const workspace = realFolder(policy.workspace, 'workspace');
  const masked = policy.masked.map((path) => realFolder(path, 'masked path'));
  const writable = policy.writable.map((path) => realPath(path, 'sandboxWritable'));
  const readOnly = policy.readOnly.map((path) => realPath(path, 'read-only path'));
  const around = policy.workspaceUnmasked ? masked.filter((path) => contains(path, workspace)) : [];
  for (const path of [workspace, ...writable]) {
    const cover = [
      ...masked.filter((mask) => path !== workspace || !around.includes(mask)),
      '/proc',
      '/sys',
    ].find((folder) => contains(folder, path));
    if (cover !== undefined) throw new ElderError('malformed', `${path} lies within ${cover}`);
  }
  const home = sandboxHome({ home: policy.home, workspace });
  const ownHome = existsSync(policy.home) ? realpathSync(policy.home) : policy.home;
  const hidden = [...new Set([...foreignFolders(), ownHome])].filter(
    (path) => path !== '/' && isFolder(path),
  );
  const tools = toolFolders({
    path: environment.PATH ?? '',
    home: ownHome,
    hidden: [...emptied, ...hidden],
  });
  const resolver = policy.network ? resolverFiles() : [];
  const args = [
    ...isolationArguments(policy),
    ...rootOnlyFiles().flatMap((path) => ['--ro-bind', '/dev/null', path]),
    ...hidden.flatMap((path) => boundedFolder(path, policy)),
    ...[...tools, ...resolver].flatMap(({ source, target }) => ['--ro-bind', source, target]),
    ...policy.shown,
    ...(home === substituteHome ? ['--dir', home] : []),
    ...around.flatMap((path) => ['--tmpfs', path]),
    ...writable.flatMap((path) => ['--bind', path, path]),
    ...[policy.workspaceReadOnly ? '--ro-bind' : '--bind', workspace, workspace],
    ...readOnly.flatMap((path) => ['--ro-bind', path, path]),
    ...around.flatMap((path) => ['--remount-ro', path]),
    ...masked
      .filter((path) => !around.includes(path))
      .flatMap((path) => ['--tmpfs', path, '--remount-ro', path]),
    // Whatever Node adds to the environment of what it starts (its permission model does) ends here.
    ...['--chdir', policy.startIn ?? workspace, '--unsetenv', 'NODE_OPTIONS'],
    ...Object.entries(environment).flatMap(([name, value]) => ['--setenv', name, value]),
  ];
  // The arguments reach bubblewrap separated by NUL: one within would begin another option.
  if (args.some((arg) => arg.includes('\0'))) throw new ElderError('malformed', 'an argument holds NUL');
  return args;
}

/** Gives the real path of a workspace. Throws `malformed` unless it is an absolute, existing folder other than `/`. */
export function realFolder(path: string, what: string): string {
  const real = realPath(path, what);
  if (!statSync(real).isDirectory()) throw new ElderError('malformed', `${what} ${path} is not a folder`);
  return real;
}

function realPath(path: string, what: string): string {
  if (!isAbsolute(path)) throw new ElderError('malformed', `${what} ${path} is not an absolute path`);
  let real: string;
  try {
    real = realpathSync.native(path);
  } catch (error) {
    throw new ElderError('malformed', `${what} ${path} cannot be used: ${(error as Error).message}`);
  }
  if (real === '/') throw new ElderError('malformed', `${what} must not be /`);
  return real;
}

/** With the network goes the list of name servers, which systemd keeps below `/run`. */
function resolverFiles(): { source: string; target: string }[] {
  if (!existsSync('/etc/resolv.conf')) return [];
  const real = realpathSync('/etc/resolv.conf');
  return emptied.some((folder) => contains(folder, real)) ? [{ source: real, target: real }] : [];
}

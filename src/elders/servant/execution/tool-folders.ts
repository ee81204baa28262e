import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, normalize } from 'node:path';
import { contains } from './path-containment.ts';

/** Folders below home that keep programs whose launchers stand elsewhere; none of them holds credentials. */
const toolchains = [
  { launchers: '.cargo/bin', programs: '.rustup' },
  ...['.nvm/versions', '.pyenv', '.rbenv', '.nodenv', '.asdf', '.volta', '.fnm', '.bun', '.deno'],
  ...['.sdkman', '.local/share/fnm', '.local/share/mise'],
].map((entry) => (typeof entry === 'string' ? { launchers: entry, programs: entry } : entry));

/** A folder as it is found on the host and shown in the sandbox. */
interface Shown {
  readonly source: string;
  readonly target: string;
}

/**
 * Gives the folders that the programs on PATH need from places that the sandbox hides: each entry of PATH, the
 * whole of a Node installation or version manager, and never a home itself.
 */
export function toolFolders(options: { path: string; home: string; hidden: readonly string[] }): Shown[] {
  const shown = new Map<string, string>();
  const show = (target: string) => {
    const tooWide =
      options.hidden.some((folder) => contains(target, folder)) || contains(target, options.home);
    if (tooWide || !options.hidden.some((folder) => contains(folder, target)) || !existsSync(target)) return;
    shown.set(target, realpathSync(target));
  };
  for (const entry of new Set(options.path.split(':').filter(isAbsolute))) {
    const named = normalize(entry).replace(/(.)\/$/, '$1');
    if (!existsSync(named)) continue;
    for (const folder of new Set([named, realpathSync(named)])) {
      show(folder);
      for (const needed of neighbours(folder, options.home)) show(needed);
    }
  }
  // Parents first, or mounting them would cover their children.
  return [...shown]
    .map(([target, source]) => ({ source, target }))
    .sort((a, b) => a.target.length - b.target.length);
}

function neighbours(folder: string, home: string): string[] {
  const prefix = dirname(folder);
  // Launchers in node_modules/.bin are links into the packages beside it.
  if (basename(folder) === '.bin' && basename(prefix) === 'node_modules') return [prefix];
  const found = toolchains
    .filter(({ launchers }) => contains(join(home, launchers), folder))
    .map(({ programs }) => join(home, programs));
  const modules = join(prefix, 'lib/node_modules');
  if (basename(folder) !== 'bin' || !existsSync(modules)) return found;
  // A prefix such as ~/.local holds more than Node's programs (key rings among it).
  return [...found, prefix === join(home, '.local') || prefix === home ? modules : prefix];
}

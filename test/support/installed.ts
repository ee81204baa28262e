import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Tells whether a program can be started by its name. */
export function isInstalled(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return folder !== '';
    } catch {
      return false;
    }
  });
}

/** Says why a test cannot have Debian's supervisord, which is installed where that needs no password; `false` when it can. */
export function withoutSupervisord(): string | false {
  if (isInstalled('supervisord')) return false;
  if (process.getuid?.() !== 0 || !isInstalled('apt-get')) return 'supervisord is not installed';
  const setup = fileURLToPath(new URL('../../scripts/setup.mjs', import.meta.url));
  const { status } = spawnSync(process.execPath, [setup, '--with-supervisor'], { stdio: 'ignore' });
  return status === 0 && isInstalled('supervisord') ? false : 'supervisord could not be installed';
}

import { mkdirSync } from 'node:fs';
import type { Config } from '../../protocol/config.ts';
import type { StateFolder } from '../../protocol/state-folder.ts';
import { boundaryOf } from './boundary.ts';
import { placesOf } from './elder-places.ts';
import type { ElderProgram } from './elder-program.ts';
import { elderViewArguments } from './elder-view.ts';
import { cacheOfUser } from './own-user/cache-of-user.ts';
import { mappedPlaces } from './own-user/mapped-places.ts';
import { asUser, unusedUser, userNameArguments } from './own-user/own-user.ts';
import { seatBelt } from './seat-belt.ts';
import { personalFolder, type SparePlaces, sparePlaces } from './spare-places.ts';

/** Descriptor to which bubblewrap writes which process it made. */
export const reportFd = 4;

/** A command line that becomes an elder. */
export interface ElderCommand {
  readonly file: string;
  readonly args: readonly string[];
  /** Whether the elder is not the process that is started but one that this reports on `reportFd`. */
  readonly reports: boolean;
}

/** What a crashed process leaves must not hold its keys. */
const withoutCoreDump = ['-c', 'ulimit -c 0; exec "$@"', 'elders-limits'];

/**
 * Puts the command line of an elder together: its program with the seat belt of its role, within its boundary.
 * Throws `sandbox_unavailable` where the configuration demands a boundary that cannot be made.
 */
export async function elderCommand(options: {
  name: string;
  folder: StateFolder;
  program: ElderProgram;
  config: Pick<Config, 'isolation' | 'elderUsers' | 'sandbox' | 'sandboxWritable'>;
  /** The process will be told later which of some elders it is. */
  spare?: SparePlaces;
}): Promise<ElderCommand> {
  const { name, folder, program, config, spare } = options;
  const { command, files } = program;
  if (files === undefined) return { file: command, args: program.args(name), reports: false };
  const places = spare === undefined ? placesOf(name, folder) : sparePlaces(spare, folder);
  const homes = spare === undefined ? [] : places.personal.map((path) => personalFolder(spare.home, path));
  for (const path of [...places.personal, ...places.shared, ...homes]) {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  }
  const [boundary, warmed = null] = await Promise.all([
    boundaryOf({ name: spare?.names[0] ?? name, folder, config }),
    files.warm?.(),
  ]);
  const node = [command, ...seatBelt(places, program), ...program.args(name)];
  if (boundary.kind === 'none')
    return { file: '/bin/sh', args: [...withoutCoreDump, ...node], reports: false };
  const { path, tools } = boundary;
  const own = tools && { tools, user: unusedUser(config.elderUsers) };
  const shown =
    own === undefined
      ? []
      : [
          ...(await userNameArguments(folder, config.elderUsers)),
          ...cacheOfUser(files.cache, warmed, own.user),
        ];
  const view = elderViewArguments({
    name,
    folder,
    program,
    boundary,
    config,
    shown,
    ...(spare && { spare }),
  });
  const walled = [path, '--info-fd', String(reportFd), ...view, ...node];
  const whole =
    own === undefined ? walled : asUser(own.tools, own.user, mappedPlaces(folder, program, places), walled);
  return { file: '/bin/sh', args: [...withoutCoreDump, ...whole], reports: true };
}

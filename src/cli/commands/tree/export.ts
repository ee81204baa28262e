import { accessSync, constants } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { ElderError } from '../../../protocol/errors.ts';
import { didYouMean } from '../../../protocol/nearest.ts';
import type { CommandInput } from '../../command-spec.ts';
import { servicePlan } from '../../init/service-plan.ts';
import { supervisordProgram } from '../../init/supervisord-program.ts';
import { systemdUnit } from '../../init/systemd-unit.ts';
import { programFile } from '../../launch.ts';
import type { Session } from '../../session.ts';

const systems = ['systemd', 'supervisord'] as const;

function isOnPath(program: string, path: string): boolean {
  return path.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Writes what makes an init system run the tree at boot. Throws `usage` for one it does not know, and `config_invalid`. */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const { text, cwd, env } = session;
  const system = input.arguments[0] ?? '';
  if (!systems.some((known) => known === system)) {
    const reason = text.export.unknown(system, systems.join(', '));
    throw new ElderError('usage', `${reason}${didYouMean(system, systems)}`);
  }
  const user = input.flag('user');
  if (user && system !== 'systemd') throw new ElderError('usage', text.export.userOfSystemd);
  const { project, config } = await session.config();
  const elders = [process.execPath, programFile];
  const plan = servicePlan({ project: project.folder, config, env, elders });
  const notify = isOnPath('systemd-notify', plan.environment.PATH ?? '');
  const written =
    system === 'systemd'
      ? { file: `${plan.name}.service`, content: systemdUnit(plan, { user, notify }) }
      : { file: `${plan.name}.conf`, content: supervisordProgram(plan, session.folder.log) };
  if (system === 'systemd' && !notify) session.note(text.export.withoutNotify);
  const output = input.text('output');
  if (output === undefined) {
    session.print({ system, ...written }, () => written.content);
    return;
  }
  const folder = resolve(cwd, output);
  const path = join(folder, written.file);
  await mkdir(folder, { recursive: true });
  // The log of supervisord stands there before the tree is started for the first time.
  if (system === 'supervisord') await mkdir(session.folder.log, { recursive: true, mode: 0o700 });
  await writeFile(path, written.content);
  session.print({ system, path }, () => `${path}\n`);
}

import { join } from 'node:path';
import { ElderError } from '../../protocol/errors.ts';
import type { ServicePlan } from './service-plan.ts';

/** supervisord expands `%` in every value. */
function plain(text: string): string {
  if (/[\r\n]/.test(text))
    throw new ElderError('usage', `supervisord cannot be told ${JSON.stringify(text)}`);
  return text.replaceAll('%', '%%');
}

/** As Python's `shlex` reads a word; a `;` after a space would begin a comment of the file. */
function word(text: string): string {
  return /^[\w@+=:,./-]+$/.test(text) ? text : `'${plain(text).replaceAll("'", `'"'"'`)}'`;
}

/** As supervisord reads a value of `environment`. */
function variable(name: string, value: string): string {
  return `${name}="${plain(value).replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** Writes the program of a tree for supervisord: the manager; the elders are its own affair. Throws `usage` for a path with a line break. */
export function supervisordProgram(plan: ServicePlan, log: string): string {
  for (const text of [plan.project, log]) {
    if (/\s;/.test(text)) throw new ElderError('usage', `supervisord takes " ;" in ${text} for a comment`);
  }
  const environment = Object.entries(plan.environment).map(([name, value]) => variable(name, value));
  const lines = [
    `[program:${plan.name}]`,
    `command=${plan.command.map(word).join(' ')}`,
    `directory=${plain(plan.project)}`,
    `user=${plan.user}`,
    `environment=${environment.join(',')}`,
    'autostart=true',
    '; It ends with 0 when `elders down` stopped the tree.',
    'autorestart=unexpected',
    'exitcodes=0',
    'startsecs=5',
    '; SIGTERM drains the tree, and only the manager gets it; one that died is started again and adopts the elders.',
    'stopsignal=TERM',
    'stopasgroup=false',
    'killasgroup=false',
    `stopwaitsecs=${plan.stopSeconds}`,
    'redirect_stderr=true',
    `stdout_logfile=${plain(join(log, 'supervisord.out'))}`,
    'stdout_logfile_maxbytes=10MB',
    'stdout_logfile_backups=2',
  ];
  return `${lines.join('\n')}\n`;
}

import { ElderError } from '../../../protocol/errors.ts';
import { ownUser } from './own-user.ts';

/** Variables of the elder that a command gets too; all else of the elder's environment stays with it. */
const inherited = /^(PATH|LANG|LC_[A-Z]+|TZ|USER)$/;

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What a command gets of the environment of its elder. */
export function inheritedEnvironment(parent: NodeJS.ProcessEnv): Record<string, string> {
  const environment: Record<string, string> = { PATH: defaultPath, USER: ownUser().username };
  for (const [name, value] of Object.entries(parent)) {
    if (value !== undefined && inherited.test(name)) environment[name] = value;
  }
  return { ...environment, TERM: 'dumb' };
}

/**
 * Builds the environment of a command: emptied, then what `inherited` names, HOME, the task's own variables
 * and the ids of the attempt, which the task cannot override. Throws `malformed` for a name or value that no
 * environment can hold.
 */
export function commandEnvironment(options: {
  parent: NodeJS.ProcessEnv;
  home: string;
  task: Readonly<Record<string, string>>;
  taskId: string;
  directiveId: string;
  attempt: number;
}): Record<string, string> {
  const environment = inheritedEnvironment(options.parent);
  Object.assign(environment, { HOME: options.home }, options.task, {
    ELDERS_TASK_ID: options.taskId,
    ELDERS_DIRECTIVE_ID: options.directiveId,
    ELDERS_ATTEMPT: String(options.attempt),
  });
  for (const [name, value] of Object.entries(environment)) {
    if (name === '' || /[=\0]/.test(name)) {
      throw new ElderError('malformed', `${JSON.stringify(name)} cannot name an environment variable`);
    }
    if (value.includes('\0')) {
      throw new ElderError('malformed', `the environment variable ${name} holds a NUL character`);
    }
  }
  return environment;
}

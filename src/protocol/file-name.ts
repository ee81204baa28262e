import { ElderError } from './errors.ts';

/**
 * Gives a name back that may become a part of a path. Throws `malformed` for one that could lead elsewhere: every
 * name of a directive, task, process or artifact goes through here before it reaches a file.
 */
export function fileName(name: string): string {
  const unsafe =
    name === '' || name.startsWith('.') || /[/\\\p{Cc}]/u.test(name) || Buffer.byteLength(name) > 200;
  if (unsafe) throw new ElderError('malformed', `${JSON.stringify(name.slice(0, 200))} cannot name a file`);
  return name;
}

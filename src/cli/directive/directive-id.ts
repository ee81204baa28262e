import { randomBytes } from 'node:crypto';

/** Makes the id of a new directive: ids sort by the time they were made. */
export function newDirectiveId(): string {
  const time = Date.now().toString(36).padStart(9, '0');
  return `d${time}${randomBytes(5).toString('hex')}`;
}

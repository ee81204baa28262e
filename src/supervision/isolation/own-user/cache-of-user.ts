import { basename, join } from 'node:path';

/**
 * Gives bubblewrap's arguments that show a user the compile cache that the manager has filled. Node names a folder of
 * it by the number of the user, so without this nothing of it would ever be found. Nobody can write to what is shown.
 */
export function cacheOfUser(cache: string, filled: string | null, user: number): string[] {
  if (filled === null) return [];
  const own = join(cache, basename(filled).replace(/-\d+$/, `-${user}`));
  return ['--tmpfs', cache, '--ro-bind', filled, own, '--remount-ro', cache];
}

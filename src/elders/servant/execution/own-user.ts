import { type UserInfo, userInfo } from 'node:os';

let known: UserInfo<string> | undefined;

/** Who this process runs as; asked once, for it means reading files. */
export function ownUser(): { readonly username: string; readonly homedir: string } {
  known ??= userInfo();
  return known;
}

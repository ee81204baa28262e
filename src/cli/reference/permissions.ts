import { permissionMatrix } from '../../protocol/permissions.ts';
import { code, madeFromCode, markdownTable } from './markdown.ts';

/** Makes `permissions.md` from the matrix of permissions. */
export function permissionsReference(): string {
  const rows = Object.entries(permissionMatrix).map(([role, grants]) => {
    const list = (added: boolean) =>
      grants
        .filter((grant) => (grant.added === true) === added)
        .map(({ permission }) => code(permission))
        .join(', ');
    return [code(role), list(false), list(true)];
  });
  const intro =
    'A permission covers the action of its name and all below it; `*` covers everything. `sage.own_domain` is bound to\nthe name of the sage: for `task_sage` it is `sage.task`. Whatever is permitted is still bounded by the edges, see\n[messages](messages.md). Everybody may answer (`reply`) and say that it is alive (`elder.ping`). What is not\npermitted is denied.\n';
  const table = markdownTable(['role', 'of the original design', 'added'], rows);
  return `${madeFromCode}# Permissions\n\n${intro}\n${table}`;
}

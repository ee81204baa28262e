import { everyone, ownDuties, permissionMatrix } from '../../protocol/permissions.ts';
import { code, madeFromCode, markdownTable } from './markdown.ts';

const codes = (names: readonly string[]) => names.map((name) => code(name)).join(', ');

/** Makes `permissions.md` from the matrix of permissions. */
export function permissionsReference(): string {
  const rows = Object.entries(permissionMatrix).map(([role, grants]) => {
    const list = (added: boolean) =>
      codes(grants.filter((grant) => (grant.added === true) === added).map(({ permission }) => permission));
    return [code(role), list(false), list(true)];
  });
  const duties = Object.entries(ownDuties).map(([role, actions]) => [code(role), codes(actions)]);
  const intro = `A permission covers the action of its name and all below it; \`*\` covers everything. \`sage.own_domain\` is bound to
the name of the sage, which is that in its certificate: for \`task_sage\` it is \`sage.task\`. Whatever is permitted is
still bounded by the edges, see [messages](messages.md). Everybody may answer, say that it is alive, and tell of what it
refused (${codes(everyone.map(({ permission }) => permission))}). What is not permitted is denied. \`elders auth matrix\` prints all
of it, \`elders auth can-i ACTION --as NAME\` answers one question.
`;
  const chain = `A command, query or emergency that a message made its sender send is asked for on behalf of that message's sender, and of
everybody on whose behalf that was sent (\`on_behalf_of\`). Each of them needs a permission for the action, apart from
the edge, which only the sender needs: the right of a chain is what all of its links have. Who belongs to the chain is
taken from the edge that the cause stood in, never from what it says of itself. Leaving somebody out makes it the
sender's own request, so it gains nothing that the sender may not do anyway; a name more can only take away.

Reports say what their sender knows and need only its own right; they hand the chain on. What a role does of its own
accord (a timer, an input of its process) begins a chain, and so do these duties, for which the role answers alone:
`;
  return [
    `${madeFromCode}# Permissions\n`,
    intro,
    markdownTable(['role', 'of the original design', 'added'], rows),
    `## On behalf of others\n\n${chain}`,
    markdownTable(['role', 'duties'], duties),
  ].join('\n');
}

import { edgeLanes, sourcesOf, targetsOf } from '../protocol/edges.ts';
import { treeKeys } from '../protocol/keys.ts';
import { roster } from '../protocol/roster.ts';

/** The one function that a principal may call; it applies a commit. */
export const commitFunction = 'elders_commit';

/** Makes a key match only itself where Redis expects a glob pattern. */
function literal(key: string): string {
  return key.replace(/[\\?*[\]]/g, '\\$&');
}

/**
 * Builds the arguments of `ACL SETUSER` for one incarnation of a principal: it reads its own inbox and state,
 * writes its own state and its own out-edges through the commit function, and nothing else.
 */
export function aclRules(options: {
  tree: string;
  name: string;
  /** How many servants the tree has. */
  servants: number;
  /** SHA-256 of the password, in hex. */
  passwordSha256: string;
}): string[] {
  const { tree, name } = options;
  const keys = treeKeys(tree);
  const elders = roster(options.servants);
  const targets = targetsOf(name, elders);
  const hasInbox = sourcesOf(name, elders).length > 0;

  const own = [keys.state(name), keys.positions(name)];
  // The commit function reads the positions of the targets to know the room in their edges. Redis checks
  // what a function does against its caller, so the caller must be able to read them.
  const readable = [...own, keys.incarnation(name), ...targets.map((target) => keys.positions(target))];
  const writable = [
    ...own,
    keys.journal(name),
    ...targets.flatMap((target) => edgeLanes(name, target).map((lane) => keys.edge(target, name, lane))),
  ];
  // Redis takes the keys of a function call to be written, so the right to call stands in one selector with
  // the right to write; apart from these commands the user reads only.
  const commands = [`+fcall|${commitFunction}`, '+xadd', '+xtrim', '+hset', '+hdel', '+hget'];

  return [
    'reset',
    'on',
    `#${options.passwordSha256}`,
    'resetkeys',
    'resetchannels',
    '-@all',
    '+ping',
    '+get',
    '+hget',
    '+hgetall',
    // First, since Redis goes through the patterns in order for every edge that a read names.
    ...(hasInbox ? ['+xread', `%R~${literal(keys.inbox(name))}*`] : []),
    ...readable.map((key) => `%R~${literal(key)}`),
    '+publish',
    '+subscribe',
    `&${literal(keys.events)}`,
    `(${[...commands, ...writable.map((key) => `%RW~${literal(key)}`)].join(' ')})`,
  ];
}

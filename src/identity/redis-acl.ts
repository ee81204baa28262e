import { edgeLanes, hasManySources, sourcesOf, targetsOf } from '../protocol/edges.ts';
import { treeKeys } from '../protocol/keys.ts';
import { roster, type Servants } from '../protocol/roster.ts';

/** The one function that a principal may call; it applies a commit. */
export const commitFunction = 'elders_commit';

/** Whose rights in Redis are meant. */
export interface RedisPrincipal {
  readonly tree: string;
  readonly name: string;
  /** The servants that the tree can have; their edges are in the rights of those who write to them. */
  readonly servants: Servants;
}

/** One set of rights: these commands on these keys and channels, in the words of `ACL SETUSER`. */
export interface RedisGrant {
  readonly commands: readonly string[];
  readonly keys: readonly string[];
  readonly channels: readonly string[];
}

/** All that a user may do: what `own` covers, and what any of the selectors covers as a whole. */
export interface RedisRights {
  readonly own: RedisGrant;
  readonly selectors: readonly RedisGrant[];
}

/** Makes a key match only itself where Redis expects a glob pattern. */
function literal(key: string): string {
  return key.replace(/[\\?*[\]]/g, '\\$&');
}

/**
 * Derives from the table of edges what one principal may do in Redis: it reads its own inbox and state, writes
 * its own state and its own out-edges through the commit function, and nothing else.
 */
export function redisRights({ tree, name, servants }: RedisPrincipal): RedisRights {
  const keys = treeKeys(tree);
  const elders = roster(servants);
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
  const woken = targets.filter(hasManySources);
  const channel = (name: string) => `&${literal(name)}`;
  return {
    own: {
      commands: [
        '+ping',
        '+get',
        '+hget',
        '+hgetall',
        ...(hasInbox ? ['+xread'] : []),
        '+publish',
        '+subscribe',
      ],
      keys: [
        // First, since Redis goes through the patterns in order for every edge that a read names.
        ...(hasInbox ? [`%R~${literal(keys.inbox(name))}*`] : []),
        ...readable.map((key) => `%R~${literal(key)}`),
      ],
      channels: [keys.events, ...(hasManySources(name) ? [keys.wakeUps(name)] : [])].map(channel),
    },
    // Redis takes the keys of a function call to be written, so the right to call stands in one selector with
    // the right to write; apart from these commands the user reads only.
    selectors: [
      {
        commands: [
          `+fcall|${commitFunction}`,
          '+xadd',
          '+xtrim',
          '+hset',
          '+hdel',
          '+hget',
          ...(woken.length > 0 ? ['+publish'] : []),
        ],
        keys: writable.map((key) => `~${literal(key)}`),
        // It may wake a reader of many edges, but not listen to who else does.
        channels: woken.map((target) => channel(keys.wakeUps(target))),
      },
    ],
  };
}

/** Builds the arguments of `ACL SETUSER` for one incarnation of a principal; `passwordSha256` is in hex. */
export function aclRules(options: RedisPrincipal & { passwordSha256: string }): string[] {
  const { own, selectors } = redisRights(options);
  const words = ({ commands, keys, channels }: RedisGrant) => [...commands, ...keys, ...channels];
  return [
    'reset',
    'on',
    `#${options.passwordSha256}`,
    'resetkeys',
    'resetchannels',
    '-@all',
    ...words(own),
    ...selectors.map((selector) => `(resetchannels ${words(selector).join(' ')})`),
  ];
}

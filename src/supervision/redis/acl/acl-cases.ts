import { commitFunction, type RedisPrincipal } from '../../../identity/redis-acl.ts';
import { edgeLanes, hasManySources, principals, sourcesOf, targetsOf } from '../../../protocol/edges.ts';
import { treeKeys } from '../../../protocol/keys.ts';
import { roster } from '../../../protocol/roster.ts';

/** A command that a user is tried with, and whether the server must let it. */
export interface AclCase {
  readonly command: readonly string[];
  readonly allowed: boolean;
}

const administration = [
  ['FLUSHALL'],
  ['CONFIG', 'GET', 'dir'],
  ['ACL', 'LIST'],
  ['EVAL', 'return 1', '0'],
  ['FUNCTION', 'LIST'],
  ['KEYS', '*'],
  ['SCAN', '0'],
  ['MONITOR'],
  ['SHUTDOWN'],
  ['REPLICAOF', 'NO', 'ONE'],
  ['MULTI'],
];

/** Makes the samples for one principal: what it lives by, and what would break the walls between it and others. */
export function aclCases({ tree, name, servants }: RedisPrincipal): AclCase[] {
  const keys = treeKeys(tree);
  const elders = roster(servants);
  const targets = targetsOf(name, elders);
  const hasInbox = sourcesOf(name, elders).length > 0;
  const [lane] = targets[0] === undefined ? [] : edgeLanes(name, targets[0]);
  const outEdge = lane === undefined ? [] : [keys.edge(targets[0] as string, name, lane)];
  const own = [keys.state(name), keys.positions(name), keys.journal(name), ...outEdge];
  const inboxOf = (target: string, source: string) => keys.edge(target, source, 'normal');
  const allowed = [
    ['HGETALL', keys.state(name)],
    ['GET', keys.incarnation(name)],
    ['FCALL', commitFunction, String(own.length), ...own],
    ...outEdge.map((edge) => ['XADD', edge, '*', 'q', '1']),
    ...(hasInbox ? [['XREAD', 'STREAMS', inboxOf(name, 'x'), '0-0']] : []),
    ['PUBLISH', keys.events, 'x'],
    ...(hasManySources(name) ? [['SUBSCRIBE', keys.wakeUps(name)]] : []),
    ...targets.filter(hasManySources).map((target) => ['PUBLISH', keys.wakeUps(target), 'x']),
  ];
  // Of the servants two stand for all; otherwise the samples would grow with the square of their number.
  const two = typeof servants === 'number' ? Math.min(servants, 2) : servants.slice(0, 2);
  const others = principals(roster(two)).filter((other) => other !== name);
  const elsewhere = [treeKeys(`${tree}x`).state(name), `${keys.state(name)}x`, 'x'];
  const denied = [
    ...administration,
    ...others.flatMap((other) => [
      ['HGETALL', keys.state(other)],
      ['HSET', keys.state(other), 'a', 'a'],
      ['HSET', keys.positions(other), 'a', 'a'],
      ['XREAD', 'STREAMS', inboxOf(other, 'x'), '0-0'],
      // Nobody writes in the name of another, whoever reads it.
      ...others.map((third) => ['XADD', inboxOf(third, other), '*', 'q', '1']),
      ['FCALL', commitFunction, '1', keys.state(other)],
      ['SUBSCRIBE', keys.wakeUps(other)],
    ]),
    ...others
      .filter((other) => !targets.includes(other))
      .flatMap((other) => [
        ['XADD', inboxOf(other, name), '*', 'q', '1'],
        ['PUBLISH', keys.wakeUps(other), 'x'],
      ]),
    ...elsewhere.flatMap((key) => [
      ['HGETALL', key],
      ['HSET', key, 'a', 'a'],
    ]),
    ['XADD', inboxOf(name, others[0] as string), '*', 'q', '1'],
    ['SET', keys.incarnation(name), '9'],
    ['DEL', keys.state(name)],
    ['HGETALL', keys.registry],
    ['FCALL', `${commitFunction}x`, '1', keys.state(name)],
    ['PUBLISH', 'x', 'x'],
  ];
  return [
    ...allowed.map((command) => ({ command, allowed: true })),
    ...denied.map((command) => ({ command, allowed: false })),
  ];
}

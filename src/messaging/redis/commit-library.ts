import { commitFunction } from '../../identity/redis-acl.ts';
import { hasManySources } from '../../protocol/edges.ts';
import type { TreeKeys } from '../../protocol/keys.ts';
import { edgeKey } from '../../protocol/keys.ts';
import type { Commit } from '../broker.ts';
import { pack, packed } from '../packing.ts';
import { commitNumberField, outFieldPrefix } from '../reserved-fields.ts';
import { journalLength, trimInterval } from '../retention.ts';
import type { RedisCommands } from './redis-commands.ts';
import { encodePosition } from './retained.ts';

/** Name of the function library. */
export const libraryName = 'elders';

/** So many arguments describe an out-edge. */
const edgeWidth = 3;
/** So many describe an entry: the edge it goes into, how many messages stand in it (0: one, as it is), their text. */
const entryWidth = 3;

/**
 * The function library. Nothing is written before every check has passed: a function that stops in the
 * middle leaves what it wrote.
 *
 * KEYS: state, positions, journal, then the out-edges.
 * ARGV: incarnation key, incarnation, commit number, edge limit, retain, journal (empty: none), then the
 * numbers of set fields, removed fields, positions, edges, entries; then these themselves: (field, value)…,
 * field…, (edge, position)…, (positions key of the target, its field, counter field)…, (edge index, messages,
 * text)…, and to the end (channel, edges) for each target that is told which of its many edges have something new.
 * The incarnation and the targets' positions are not in KEYS, because the caller may only read them and Redis
 * takes every declared key to be written; the hash tag puts them in the same slot.
 */
export const commitLibrary = `#!lua name=${libraryName}
local function words(first, last, each)
  -- unpack takes some 8000 values at most
  local at = first
  while at <= last do
    local till = math.min(at + 1999, last)
    each(at, till)
    at = till + 1
  end
end

local function note(incarnationKey, what)
  -- a key that the caller may not read: Redis writes the denial into its ACL log, and so it reaches the audit
  redis.pcall('GET', incarnationKey .. ':' .. what)
end

local function commit(KEYS, ARGV)
  local state, positions, journal = KEYS[1], KEYS[2], KEYS[3]
  local incarnation = redis.call('GET', ARGV[1])
  if incarnation ~= ARGV[2] then
    note(ARGV[1], 'fenced')
    return {'FENCED'}
  end
  local number = tonumber(ARGV[3])
  local landed = tonumber(redis.call('HGET', state, '${commitNumberField}') or '0')
  if number ~= landed + 1 then
    -- the last commit once more is one whose answer was lost, anything else is out of step
    if number ~= landed then note(ARGV[1], 'stale') end
    return {'STALE', landed}
  end

  local limit, retain = tonumber(ARGV[4]), tonumber(ARGV[5])
  local sets, removes, moves = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
  local edges, entries = tonumber(ARGV[10]), tonumber(ARGV[11])
  local firstSet = 12
  local firstRemove = firstSet + 2 * sets
  local firstMove = firstRemove + removes
  local firstEdge = firstMove + 2 * moves
  local firstEntry = firstEdge + ${edgeWidth} * edges

  local new, sent, handled, cut = {}, {}, {}, {}
  for edge = 1, edges do new[edge] = 0 end
  for entry = 0, entries - 1 do
    local at = firstEntry + ${entryWidth} * entry
    local edge = tonumber(ARGV[at])
    new[edge] = new[edge] + math.max(1, tonumber(ARGV[at + 1]))
  end
  for edge = 1, edges do
    local at = firstEdge + ${edgeWidth} * (edge - 1)
    sent[edge] = tonumber(redis.call('HGET', state, ARGV[at + 2]) or '0')
    handled[edge] = 0
    local position = redis.call('HGET', ARGV[at], ARGV[at + 1])
    if position then
      handled[edge] = tonumber(string.match(position, '^%S+ (%d+)'))
      local mark, reached = string.match(position, '^%S+ %d+ (%d+%-%d+)@(%d+)')
      if mark and handled[edge] - tonumber(reached) >= retain then cut[edge] = mark end
    end
    if sent[edge] + new[edge] - handled[edge] > limit then return {'FULL', edge} end
  end

  words(firstSet, firstRemove - 1, function(from, till)
    redis.call('HSET', state, unpack(ARGV, from, till))
  end)
  words(firstRemove, firstMove - 1, function(from, till)
    redis.call('HDEL', state, unpack(ARGV, from, till))
  end)
  words(firstMove, firstEdge - 1, function(from, till)
    redis.call('HSET', positions, unpack(ARGV, from, till))
  end)
  local sequence = {}
  for edge = 1, edges do sequence[edge] = sent[edge] end
  for entry = 0, entries - 1 do
    local at = firstEntry + ${entryWidth} * entry
    local edge, count = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
    local number = string.format('%d', sequence[edge] + 1)
    sequence[edge] = sequence[edge] + math.max(1, count)
    if count == 0 then
      redis.call('XADD', KEYS[3 + edge], '*', 'q', number, 'm', ARGV[at + 2])
    else
      redis.call('XADD', KEYS[3 + edge], '*', 'q', number, 'n', ARGV[at + 1], 'm', ARGV[at + 2])
    end
  end
  for edge = 1, edges do
    local total = sequence[edge]
    redis.call('HSET', state, ARGV[firstEdge + ${edgeWidth} * (edge - 1) + 2], string.format('%d', total))
    if cut[edge] and math.floor(total / ${trimInterval}) > math.floor(sent[edge] / ${trimInterval}) then
      redis.call('XTRIM', KEYS[3 + edge], 'MINID', '=', cut[edge])
    end
  end
  if ARGV[6] ~= '' then
    redis.call('XADD', journal, 'MAXLEN', '~', '${journalLength}', '*', 'n', ARGV[3], 'i', ARGV[2], 'j', ARGV[6])
  end
  redis.call('HSET', state, '${commitNumberField}', ARGV[3])
  for at = firstEntry + ${entryWidth} * entries, #ARGV - 1, 2 do
    -- nothing depends on it, so a channel that the caller may not use stops nothing
    redis.pcall('PUBLISH', ARGV[at], ARGV[at + 1])
  end
  return {'OK'}
end

redis.register_function('${commitFunction}', commit)
`;

/** Puts the commit function into Redis, in place of any older one. Needs the right to FUNCTION. */
export async function loadCommitLibrary(redis: RedisCommands): Promise<void> {
  await redis.command(['FUNCTION', 'LOAD', 'REPLACE', commitLibrary]);
}

/** Builds the call of the commit function; `edges` are the out-edges in the order that a `FULL` answer counts them. */
export function commitCall(options: {
  keys: TreeKeys;
  name: string;
  incarnation: number;
  edgeLimit: number;
  retain: number;
  commit: Commit;
  /** The positions of the commit as they are to be stored, where that is more than a position. */
  positions?: Iterable<readonly [edge: string, position: string]>;
}): { args: string[]; edges: { target: string; lane: Commit['send'][number]['lane'] }[] } {
  const { keys, name, commit } = options;
  const indexes = new Map<string, number>();
  const edges: { target: string; lane: Commit['send'][number]['lane'] }[] = [];
  const entries: string[] = [];
  const packs = pack(commit.send);
  for (const each of packs) {
    const { target, lane } = each;
    const key = keys.edge(target, name, lane);
    let index = indexes.get(key);
    if (index === undefined) {
      edges.push({ target, lane });
      index = edges.length;
      indexes.set(key, index);
    }
    const { count, text } = packed(each);
    entries.push(String(index), count, text);
  }
  const args = [
    'FCALL',
    commitFunction,
    String(3 + edges.length),
    keys.state(name),
    keys.positions(name),
    keys.journal(name),
    ...indexes.keys(),
    keys.incarnation(name),
    String(options.incarnation),
    String(commit.number),
    String(options.edgeLimit),
    String(options.retain),
    commit.journal ?? '',
    String(commit.set.size),
    String(commit.remove.size),
    String(commit.positions.size),
    String(edges.length),
    String(packs.length),
  ];
  for (const [field, value] of commit.set) args.push(field, value);
  for (const field of commit.remove) args.push(field);
  const plain = [...commit.positions].map(
    ([edge, position]) => [edge, encodePosition(position, [])] as const,
  );
  for (const [edge, position] of options.positions ?? plain) args.push(edge, position);
  for (const { target, lane } of edges) {
    args.push(keys.positions(target), edgeKey(name, lane), `${outFieldPrefix}${target}:${lane}`);
  }
  for (const part of entries) args.push(part);
  for (const target of new Set(edges.map((edge) => edge.target))) {
    if (!hasManySources(target)) continue;
    const fresh = edges.filter((edge) => edge.target === target).map(({ lane }) => edgeKey(name, lane));
    args.push(keys.wakeUps(target), fresh.join(' '));
  }
  return { args, edges };
}

import { randomUUID } from 'node:crypto';
import { messageText } from '../src/messaging/codec.ts';
import { RedisBroker } from '../src/messaging/redis/redis-broker.ts';
import { decodeEntries } from '../src/messaging/redis/replies.ts';
import { outFieldPrefix } from '../src/messaging/reserved-fields.ts';
import { type Action, actionSpec, actions } from '../src/protocol/actions.ts';
import { defaultConfig } from '../src/protocol/config.ts';
import { edgeActions, edgeLanes, principals } from '../src/protocol/edges.ts';
import { edgeKey, treeKeys } from '../src/protocol/keys.ts';
import type { Lane } from '../src/protocol/lanes.ts';
import type { ElderMessage } from '../src/protocol/message.ts';
import { isDelegated, permissionFor } from '../src/protocol/permissions.ts';
import { roster } from '../src/protocol/roster.ts';
import type { RedisAdmin } from '../src/supervision/redis/redis-admin.ts';
import type { Stolen } from './attack-redis.ts';
import { RawRedis } from './raw-redis.ts';
import type { Tally } from './tally.ts';

const allActions = Object.keys(actions) as Action[];
/** Actions that are carried out as positive controls: they ask and change nothing. */
const harmless: Readonly<Partial<Record<Action, ElderMessage['payload']>>> = {
  'elder.ping': {},
  'sage.incident.list': { limit: 1 },
  'sage.knowledge.search': { query: 'attack' },
};

interface Sent {
  readonly body: string;
  readonly what: string;
  /** `false` for a positive control. */
  readonly mustBeDenied: boolean;
}

function message(
  from: string,
  to: string,
  action: Action,
  changes: Partial<ElderMessage> = {},
): ElderMessage {
  return {
    message_id: randomUUID(),
    source_elder: from,
    target_elder: to,
    message_type: actionSpec(action).type,
    payload: harmless[action] ?? {},
    priority: 5,
    timestamp: new Date().toISOString(),
    requires_ack: false,
    action,
    hops: 0,
    ...changes,
  };
}

/** Everything that must not get through on one edge, and what must. */
function messagesFor(from: string, to: string, others: readonly string[], old: readonly string[]): Sent[] {
  const carried = edgeActions(from, to);
  const sent = (body: ElderMessage, mustBeDenied: boolean): Sent => {
    const what = `${from} → ${to}: ${body.action} of ${body.source_elder} for ${body.target_elder}`;
    return { body: JSON.stringify(body), what, mustBeDenied };
  };
  const denied = (body: ElderMessage) => sent(body, true);
  const sample = carried[0] as Action;
  const uncarried = allActions.filter((action) => !carried.includes(action));
  const strangers = others.filter((other) => other !== from && other !== to);
  const past = new Date(Date.now() - 60_000).toISOString();
  return [
    ...uncarried.map((action) => denied(message(from, to, action))),
    // In the name of each other, and toward each other.
    ...strangers.map((other) => denied(message(other, to, sample))),
    ...strangers.map((other) => denied(message(from, other, sample))),
    // On behalf of somebody who has no right to it: a confused deputy.
    ...carried
      .filter((action) => isDelegated(from, action))
      .flatMap((action) =>
        strangers
          .filter((other) => permissionFor(other, action) === undefined)
          .map((other) => denied(message(from, to, action, { on_behalf_of: [other] }))),
      ),
    ...carried.map((action) => denied(message(from, to, action, { expires_at: past }))),
    ...carried.filter((action) => action in harmless).map((action) => sent(message(from, to, action), false)),
    ...old
      // A forged one that has wandered home is the sender's own here, and no forgery any more.
      .filter((body) => !isOf(body, from, to))
      .map((body) => ({ body, what: `${from} → ${to}: an old entry of another`, mustBeDenied: true })),
  ];
}

function isOf(body: string, from: string, to: string): boolean {
  const { source_elder: source, target_elder: target } = JSON.parse(body) as Partial<ElderMessage>;
  return source === from && target === to;
}

/**
 * Sends every action to every other principal as one identity, past its own check: where there is no edge Redis has to
 * refuse, where there is one its receiver. What the receivers made of it is in the audit log, once `messagesHandled`.
 */
export async function tryMessages({ name, servants, door, credential }: Stolen, tally: Tally): Promise<void> {
  const keys = treeKeys(door.tree);
  const others = principals(roster(servants)).filter((other) => other !== name);
  const redis = await RawRedis.login(door, credential);
  const { edgeLimit, retain } = defaultConfig.messages;
  const broker = new RedisBroker({
    tree: door.tree,
    name,
    incarnation: credential.incarnation,
    endpoint: door.endpoint,
    credential,
    tls: () => door.tls,
    edgeLimit,
    retain,
  });
  try {
    const old = await oldEntries(redis, { name, tree: door.tree, others });
    for (const target of others) {
      const [lane] = edgeLanes(name, target);
      if (lane === undefined) {
        const key = keys.edge(target, name, 'normal');
        const tries = allActions.map(async (action) => {
          const entry = ['XADD', key, '*', 'q', '1', 'm', JSON.stringify(message(name, target, action))];
          const { error } = await redis.send(entry);
          const what = `${name} → ${target}: ${action}, no edge`;
          const allowed = !error?.startsWith('NOPERM');
          tally.attempt({ part: 'messages', what, allowed, audit: `redis_acl ${name}` });
        });
        await Promise.all(tries);
        continue;
      }
      const sent = messagesFor(name, target, others, old);
      await send(broker, target, lane, sent);
      // Whether the receiver denied each is counted in the audit log, where alone it shows.
      for (const { what, mustBeDenied } of sent) {
        if (mustBeDenied) {
          tally.attempt({ part: 'messages', what, allowed: false, audit: `receive ${name}>${target}` });
        } else tally.control(what, true);
      }
    }
  } finally {
    redis.close();
    await broker.close();
  }
}

const oldPerEdge = 3;

/** Reads from the inbox of an identity what others have sent it, as they wrote it. */
async function oldEntries(
  redis: RawRedis,
  { name, tree, others }: { name: string; tree: string; others: readonly string[] },
): Promise<string[]> {
  const keys = treeKeys(tree);
  const edges = others.flatMap((other) => edgeLanes(other, name).map((lane) => keys.edge(name, other, lane)));
  if (edges.length === 0) return [];
  const starts = edges.map(() => '0-0');
  const { reply } = await redis.send(['XREAD', 'COUNT', String(oldPerEdge), 'STREAMS', ...edges, ...starts]);
  return decodeEntries(reply, keys.inbox(name)).entries.map(messageText);
}

async function send(broker: RedisBroker, target: string, lane: Lane, sent: readonly Sent[]): Promise<void> {
  const { commitNumber } = await broker.load();
  const answer = await broker.commit({
    number: commitNumber + 1,
    set: new Map(),
    remove: new Set(),
    positions: new Map(),
    send: sent.map(({ body }) => ({ target, lane, body: body })),
    journal: null,
  });
  if (answer.kind !== 'ok') throw new Error(`a commit of the attacker's own came to ${answer.kind}`);
}

const pollMs = 50;
const handledMs = 240_000;

/** Resolves once the receivers have looked at all that an identity sent. */
export async function messagesHandled(admin: RedisAdmin, stolen: Stolen): Promise<void> {
  const { name, servants } = stolen;
  for (const target of principals(roster(servants))) {
    for (const lane of edgeLanes(name, target)) await untilHandled(admin, stolen, target, lane);
  }
}

async function untilHandled(
  admin: RedisAdmin,
  { name, door }: Stolen,
  target: string,
  lane: Lane,
): Promise<void> {
  const keys = treeKeys(door.tree);
  const until = Date.now() + handledMs;
  for (;;) {
    const [sent, position] = await Promise.all([
      admin.command(['HGET', keys.state(name), `${outFieldPrefix}${target}:${lane}`]),
      admin.command(['HGET', keys.positions(target), edgeKey(name, lane)]),
    ]);
    if (Number(sent ?? 0) <= Number(String(position ?? '0 0').split(' ')[1])) return;
    if (Date.now() > until) throw new Error(`${target} does not handle what ${name} sent`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

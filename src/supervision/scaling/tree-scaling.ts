import type { AuditEntry } from '../../protocol/audit.ts';
import type { Config } from '../../protocol/config.ts';
import type { ElderError } from '../../protocol/errors.ts';
import { treeKeys } from '../../protocol/keys.ts';
import type { ManagerEvent } from '../../protocol/local-api.ts';
import { isServant, servantSpec } from '../../protocol/roster.ts';
import { servantNumber } from '../../protocol/servant-pools.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { operationEntry } from '../audit/operation-entry.ts';
import type { Registry } from '../elders/registry.ts';
import type { TreeElders } from '../elders/tree-elders.ts';
import { requireFreePorts } from '../manager/preflight.ts';
import type { ManagerOutbox } from '../manager-outbox.ts';
import type { RedisAdmin } from '../redis/redis-admin.ts';
import { readStaff } from './read-staff.ts';
import type { ServantRoll } from './servant-roll.ts';
import { type isDrained, ServantScaler } from './servant-scaler.ts';

interface TreeScalingOptions {
  readonly tree: string;
  readonly config: Config;
  readonly roll: ServantRoll;
  readonly elders: TreeElders;
  readonly admin: RedisAdmin;
  readonly registry: Registry;
  readonly log: Logger;
  readonly order: ManagerOutbox['order'];
  readonly record: (entry: AuditEntry) => void;
  readonly emit: (
    kind: ManagerEvent['kind'],
    name: string | null,
    error?: ElderError,
    scale?: ManagerEvent['scale'],
  ) => void;
  /** Told that there is one elder less. */
  readonly onGone: () => void;
  /** Told what hinders a change that nobody waits for. */
  readonly onHindered: (what: string, error: ElderError) => void;
  readonly mayEnd?: typeof isDrained;
}

/** Makes what keeps the number of servants of one tree. */
export function treeScaling(options: TreeScalingOptions): ServantScaler {
  const { tree, config, roll, elders, admin, registry, log, order, record, emit, mayEnd } = options;
  const keys = treeKeys(tree);
  return new ServantScaler({
    roll,
    config,
    elders,
    nameServants: (naming) => order('task_sage', 'sage.task.servants', naming),
    tellServants: (naming) => order('grand_elder', 'supervision.servants', naming),
    readStaff: (servants) => readStaff(admin, keys, servants),
    requirePorts: (servants) => {
      const specs = servants.map((name) => servantSpec(servantNumber(name) ?? 0));
      const needed = specs.map(({ name, portOffset }) => ({ name, port: config.portBase + portOffset }));
      return requireFreePorts(config.host, needed);
    },
    onChange: ({ pool, ...scale }) => {
      emit('scaled', pool, undefined, scale);
      const { from, to, by, reason } = scale;
      const subject = by === 'configuration' ? null : by;
      record(operationEntry({ event: 'scaled', subject, object: pool, reason, detail: { from, to } }));
    },
    onDraining: (servant) => emit('draining', servant),
    onGone: (servant) => {
      options.onGone();
      registry.forget(servant).catch((error) => log.warn({ error, servant }, 'the registry still names it'));
    },
    onHindered: options.onHindered,
    ...(mayEnd && { mayEnd }),
  });
}

/** Takes away what Redis still has of servants that an earlier manager could not part with to the end. Rejects as the connection does. */
export async function forgetStrayServants(admin: RedisAdmin, roll: ServantRoll): Promise<void> {
  const present = new Set(roll.specs.map(({ name }) => name));
  const users = await admin.users.principalsWithUsers();
  const registered = [...(await admin.registry()).keys()];
  const stray = new Set([...users, ...registered].filter((name) => isServant(name) && !present.has(name)));
  for (const name of stray) {
    await admin.users.revoke(name);
    await admin.deleteRegistry(name);
  }
}

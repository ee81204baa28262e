import type { Credentials } from '../../identity/credentials.ts';
import { readDeadLetter, readDeadLetters } from '../../messaging/dead-letters.ts';
import { readMessage, readTrace } from '../../messaging/trace.ts';
import type { Config } from '../../protocol/config.ts';
import { ElderError } from '../../protocol/errors.ts';
import { type TreeKeys, treeKeys } from '../../protocol/keys.ts';
import type { ManagerEvent } from '../../protocol/local-api.ts';
import type { TreeStatus } from '../../protocol/process.ts';
import { roster } from '../../protocol/roster.ts';
import { possibleServants } from '../../protocol/servant-pools.ts';
import type { AuditSink } from '../../telemetry/audit/audit-log.ts';
import { readAuditAnchor } from '../audit/audit-anchor.ts';
import { recorded } from '../audit/operation-entry.ts';
import type { CertificateDesk } from '../certificates/certificate-desk.ts';
import type { TreeElders } from '../elders/tree-elders.ts';
import { processHealth } from '../health/process-health.ts';
import { describeElder } from '../operations/describe-elder.ts';
import { measureTree } from '../operations/measure-tree.ts';
import type { OperationControl } from '../operations/operation-routes.ts';
import type { TreeOperations } from '../operations/tree-operations.ts';
import type { RedisAdmin } from '../redis/redis-admin.ts';
import type { RedisSupervisor } from '../redis/redis-supervisor.ts';
import type { ServantScaler } from '../scaling/servant-scaler.ts';
import type { CertificateControl } from './certificate-routes.ts';
import type { ManagerControl } from './manager-socket.ts';

/** What there is of a tree at one moment; `null` stands for what is not there yet. */
interface TreeParts {
  readonly tree: string;
  readonly config: Config;
  readonly status: TreeStatus;
  readonly credentials: Credentials | null;
  readonly redis: RedisSupervisor | null;
  readonly elders: TreeElders | null;
  readonly desk: CertificateDesk | null;
  /** Set once the tree has been ready, and so is what comes after. */
  readonly scaler: ServantScaler | null;
  readonly operations: TreeOperations | null;
  readonly audit: AuditSink | null;
}

interface ControlOptions {
  readonly current: () => TreeParts;
  readonly shutdown: (mode: 'drain' | 'kill') => void;
  /** Tells each event from now on to the listener until the returned function is called. */
  readonly listen: (listener: (event: ManagerEvent) => void) => () => void;
}

/** Makes what the manager's socket offers. Whatever needs a part that is not there yet throws `not_healthy`. */
export function managerControl(options: ControlOptions): ManagerControl {
  const { current, shutdown, listen } = options;
  return {
    status: () => current().status,
    shutdown: (mode, listener) => {
      listen(listener);
      shutdown(mode);
    },
    ...readingControl(current),
    certificates: certificateControl(current),
    operations: operationControl(options),
  };
}

function there<T>(part: T | null): T {
  if (part === null) throw new ElderError('not_healthy', 'the tree is still being started');
  return part;
}

function adminOf({ redis }: TreeParts): RedisAdmin {
  if (redis === null) throw new ElderError('redis_unreachable', 'Redis is not started yet');
  return redis.admin;
}

/** What only reads what the tree keeps in Redis. */
function readingControl(
  current: ControlOptions['current'],
): Pick<ManagerControl, 'trace' | 'message' | 'deadLetters' | 'deadLetter' | 'auditAnchor'> {
  const read = async <T>(search: (redis: RedisAdmin, keys: TreeKeys, elders: string[]) => Promise<T>) => {
    const parts = current();
    const elders = roster(possibleServants(parts.config)).map(({ name }) => name);
    return search(adminOf(parts), treeKeys(parts.tree), elders);
  };
  return {
    trace: (id, signal) => read((redis, keys, elders) => readTrace(redis, keys, id, { elders, signal })),
    message: (id, signal) => read((redis, keys, elders) => readMessage(redis, keys, id, { elders, signal })),
    deadLetters: (signal) =>
      read((redis, keys, elders) => readDeadLetters(redis, keys, { elders: ['gateway', ...elders], signal })),
    deadLetter: (id, signal) =>
      read((redis, keys, elders) =>
        readDeadLetter(redis, keys, id, { elders: ['gateway', ...elders], signal }),
      ),
    auditAnchor: () => read((redis, keys) => readAuditAnchor(redis, keys)),
  };
}

function certificateControl(current: ControlOptions['current']): CertificateControl {
  const desk = () => there(current().desk);
  return {
    list: () => desk().list(),
    rotate: (request) => desk().rotate(request),
    revoke: (name, restart) => desk().revoke(name, restart),
    health: (name) => {
      const { status, config, credentials } = current();
      return processHealth(name, { status, host: config.host, credentials });
    },
  };
}

function operationControl({ current, listen }: ControlOptions): OperationControl {
  return {
    restart: async (names) => {
      const { operations, audit } = current();
      const object = names === null ? 'all elders' : names.join(', ').slice(0, 2_000);
      return recorded(there(audit), { event: 'restart', object }, () => there(operations).restart(names));
    },
    scaling: async () => there(current().scaler).state,
    scale: async (request) => there(current().scaler).scale(request),
    reload: async () => {
      const { operations, audit } = current();
      return recorded(there(audit), { event: 'reload' }, () => there(operations).reload());
    },
    describe: async (name) => {
      const parts = current();
      const { certificates } = there(parts.desk).list();
      const elder = there(parts.elders).supervisor(name);
      const { tree, config } = parts;
      const status = parts.status.elders.find((each) => each.name === name);
      return describeElder(name, { tree, config, elder, status, certificates, redis: adminOf(parts) });
    },
    measure: async () => {
      const { status, redis } = current();
      return measureTree(status, redis?.admin ?? null);
    },
    listen,
  };
}

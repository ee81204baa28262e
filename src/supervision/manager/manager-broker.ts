import { RedisBroker } from '../../messaging/redis/redis-broker.ts';
import type { Config } from '../../protocol/config.ts';
import type { RedisSupervisor } from '../redis/redis-supervisor.ts';
import type { ManagerCredentials } from './manager-credentials.ts';

/** Opens a broker as a principal that lives in the manager, with an incarnation of its own. Rejects while Redis is away. */
export async function connectManagerBroker(options: {
  readonly tree: string;
  readonly config: Config;
  readonly redis: RedisSupervisor;
  readonly own: ManagerCredentials;
  readonly name?: 'manager' | 'auditor';
}): Promise<RedisBroker> {
  const { tree, redis, own, name = 'manager' } = options;
  const { edgeLimit, retain } = options.config.messages;
  const credential = await redis.admin.users.createIncarnation(name);
  let { ca: trusted } = own.credentials.trust;
  const leave = own.credentials.onTrust(({ ca }) => {
    if (ca !== trusted) broker.renewConnections();
    trusted = ca;
  });
  const broker = new RedisBroker({
    tree,
    name,
    incarnation: credential.incarnation,
    endpoint: redis.endpoint,
    credential,
    tls: () => {
      const { certificate, key, ca, isRevoked } = own.credentials.current();
      return { cert: certificate, key, ca, ...(isRevoked && { isRevoked }) };
    },
    edgeLimit,
    retain,
    connectionAgeMs: options.config.certificates.connectionAge,
    onClosed: leave,
  });
  return broker;
}

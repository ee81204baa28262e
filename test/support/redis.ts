import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Authority } from '../../src/identity/authority.ts';
import { RedisBroker, type RedisBrokerOptions } from '../../src/messaging/redis/redis-broker.ts';
import type { RedisTls } from '../../src/messaging/redis/redis-connection.ts';
import type { RedisCredential, RedisEndpoint } from '../../src/protocol/bootstrap.ts';
import { type Config, configSchema } from '../../src/protocol/config.ts';
import { type TreeKeys, treeKeys } from '../../src/protocol/keys.ts';
import { type StateFolder, stateFolder } from '../../src/protocol/state-folder.ts';
import type { RunningProcess } from '../../src/supervision/elders/running-process.ts';
import type { RedisAdmin } from '../../src/supervision/redis/redis-admin.ts';
import { ManagedRedis } from '../../src/supervision/redis/redis-server.ts';
import { freePort } from './free-port.ts';

/** A private Redis as the manager would run it: TLS, ACL, append-only file, in a folder of its own. */
export interface TestRedis {
  readonly tree: string;
  readonly servants: number;
  readonly folder: StateFolder;
  readonly config: Config;
  readonly keys: TreeKeys;
  readonly authority: Authority;
  readonly endpoint: RedisEndpoint;
  readonly admin: RedisAdmin;
  readonly managed: ManagedRedis;
  /** Certificate of a principal, made on first use. */
  tlsOf(name: string): Promise<RedisTls>;
  /** Begins a new incarnation and gives its credential; older ones are fenced. */
  createIncarnation(name: string): Promise<RedisCredential>;
  /** A broker of a new incarnation, or of the one whose credential is given; closed by `stop`. */
  brokerFor(
    name: string,
    options?: Partial<
      Pick<RedisBrokerOptions, 'edgeLimit' | 'retain' | 'onConnection' | 'endpoint' | 'wakeUpTrustMs'>
    > & {
      credential?: RedisCredential;
    },
  ): Promise<RedisBroker>;
  /** Kills Redis with SIGKILL and resolves once it is gone. */
  kill(): Promise<void>;
  /** Starts it again, on the same port and files. */
  restart(): Promise<RunningProcess>;
  /** Ends everything and removes the folder. */
  stop(): Promise<void>;
}

/** Starts a Redis for one test file. */
export async function startTestRedis(
  options: { servants?: number; appendfsync?: Config['appendfsync'] } = {},
): Promise<TestRedis> {
  const { servants = 2, appendfsync = 'always' } = options;
  const project = await mkdtemp(join(tmpdir(), 'elders-redis-'));
  const folder = stateFolder(project);
  for (const path of [folder.root, folder.run, folder.secret]) await mkdir(path, { mode: 0o700 });
  const tree = 'test';
  const authority = await Authority.open(folder.secret, tree);
  const config = configSchema.parse({ servants, scaling: { max: servants }, appendfsync });
  const keys = treeKeys(tree);
  const certificates = new Map<string, RedisTls>();
  const brokers: RedisBroker[] = [];

  async function tlsOf(name: string): Promise<RedisTls> {
    const known = certificates.get(name);
    if (known) return known;
    const issued = await authority.issueWithKey({ name, addresses: [], lifetimeMs: 3_600_000 });
    const tls = { cert: issued.certificatePem, key: issued.privateKeyPem, ca: authority.caPem };
    certificates.set(name, tls);
    return tls;
  }

  const managerTls = await tlsOf('manager');
  const port = await freePort();
  const managed = await ManagedRedis.open({ tree, folder, config, port, authority, tls: () => managerTls });
  let running = await managed.start({ restarts: 0 });
  const { admin, endpoint } = managed;
  // Redis has a session of its own and would outlive a run that is interrupted.
  const endRedis = () => running.kill('SIGKILL');
  process.once('exit', endRedis);
  await admin.loadLibrary();

  return {
    tree,
    servants,
    folder,
    config,
    keys,
    authority,
    endpoint,
    admin,
    managed,
    tlsOf,
    createIncarnation: (name) => admin.users.createIncarnation(name),
    async brokerFor(name, { credential: given, ...rest } = {}) {
      const credential = given ?? (await admin.users.createIncarnation(name));
      const tls = await tlsOf(name);
      const { incarnation } = credential;
      const { edgeLimit, retain } = config.messages;
      const common = { tree, name, incarnation, endpoint, credential, tls: () => tls, edgeLimit, retain };
      const broker = new RedisBroker({ ...common, ...rest });
      brokers.push(broker);
      return broker;
    },
    async kill() {
      running.kill('SIGKILL');
      await running.exited;
    },
    async restart() {
      running = await managed.start({ restarts: 1 });
      return running;
    },
    async stop() {
      await Promise.all(brokers.map((broker) => broker.close()));
      await managed.stop(5_000);
      process.off('exit', endRedis);
      await rm(project, { recursive: true, force: true });
    },
  };
}

import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import type { Random } from '../simulation/random.ts';
import { listenElderServer } from '../src/agents/process/elder-server.ts';
import { Events } from '../src/gateway/events.ts';
import { Gateway } from '../src/gateway/gateway.ts';
import { GatewayServer } from '../src/gateway/gateway-server.ts';
import { Authority } from '../src/identity/authority.ts';
import { Credentials } from '../src/identity/credentials.ts';
import { createKeyPair } from '../src/identity/key-proof.ts';
import { clientTls } from '../src/identity/tls.ts';
import { ElderError } from '../src/protocol/errors.ts';
import { askRequest } from '../src/protocol/local-api.ts';
import {
  type ManagerControl,
  ManagerSocket,
  shutdownBody,
} from '../src/supervision/manager/manager-socket.ts';
import { mutatedText, mutateText } from './mutate.ts';
import { oracleOf } from './oracle.ts';
import { sample } from './sample.ts';
import { Violation } from './violation.ts';

const tree = 'fuzz';
const ask = oracleOf(askRequest);
const shutdown = oracleOf(shutdownBody);
const routes = [
  'POST /v1/ask',
  'GET /v1/directive?id=x',
  'GET /v1/watch',
  'GET /v1/status',
  'POST /v1/shutdown',
  'GET /v1/trace?correlation=x',
  'GET /v1/message?id=x',
  'GET /healthz',
  'GET /readyz',
  'GET /metrics',
  'GET /v1/info',
  'PUT /v1/certificate',
  'GET /v1/certificate/request?nonce=1',
  'GET //',
  'GET http://[',
  'DELETE /%',
];

interface Door {
  readonly name: string;
  connect(): Duplex;
  close(): Promise<unknown>;
}

/** A request that is mostly well formed, as bytes. */
function request(random: Random): string {
  const value = random.pick<() => unknown>([
    () => sample(ask.schema, random),
    () => sample(shutdown.schema, random),
    () => ({ certificate: 'x' }),
    () => null,
  ])();
  const body = mutatedText(value, random);
  const route = random.pick(routes);
  const length = random.chance(0.9) ? Buffer.byteLength(body) : random.pick([-1, 0, 1, 1e9, 'x']);
  const head = `${route} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: ${length}\r\n\r\n`;
  return `${random.chance(0.2) ? mutateText(head, random) : head}${body}`;
}

/** Sends bytes, half-closes, and gives the status of the answer; 0 when the door was shut without one. */
async function knock(door: Door, bytes: string): Promise<number> {
  const socket = door.connect();
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk;
  });
  socket.on('error', () => undefined);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.end(bytes);
  await closed;
  return Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1] ?? 0);
}

async function openElder(): Promise<Door> {
  const authority = await Authority.create(tree);
  const keys = createKeyPair();
  const lifetimeMs = 3_600_000;
  const { certificatePem } = await authority.issue({
    name: 'task_sage',
    addresses: ['127.0.0.1'],
    lifetimeMs,
    publicKey: keys.publicKey.export({ format: 'der', type: 'spki' }),
  });
  const ca = authority.caPem;
  const credentials = new Credentials({
    tree,
    name: 'task_sage',
    certificate: certificatePem,
    ca,
    privateKey: keys.privateKey,
  });
  const server = await listenElderServer({
    host: '127.0.0.1',
    port: 0,
    tree,
    credentials,
    identity: { tree, name: 'task_sage', incarnation: 1 },
    notReady: () => null,
    info: () => ({}),
    metrics: async () => ({ type: 'text/plain', text: '' }),
  });
  const manager = await authority.issueWithKey({ name: 'manager', addresses: [], lifetimeMs });
  const identity = { certificate: manager.certificatePem, key: manager.privateKeyPem, ca };
  const tls = clientTls({ ...identity, tree, expect: 'task_sage' });
  const { port } = server.address() as AddressInfo;
  return {
    name: 'elder server',
    connect: () => connectTls({ ...tls, host: '127.0.0.1', port }),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function openGateway(folder: string): Promise<Door> {
  const silent = { error: () => undefined } as never;
  const server = new GatewayServer(new Gateway(), new Events(), silent);
  const path = join(folder, 'g.sock');
  await server.listen(path);
  return { name: 'gateway socket', connect: () => connect(path), close: () => server.close() };
}

async function openManager(folder: string): Promise<Door> {
  const none = () => Promise.reject(new ElderError('not_found', 'nothing here'));
  const control: ManagerControl = {
    status: () => ({}) as never,
    shutdown: (_, listener) => listener({ at: 0, kind: 'tree_stopped', name: null, error: null }),
    trace: async () => [],
    message: none,
    deadLetters: async () => [],
    auditAnchor: async () => null,
    deadLetter: none,
    operations: {
      restart: async () => undefined,
      reload: async () => [],
      scaling: none,
      scale: none,
      describe: none,
      measure: async () => ({ at: 0, state: 'ready', processes: [] }),
      listen: () => () => undefined,
    },
    certificates: {
      list: () => ({ root: '', rotation: 'none', certificates: [] }),
      rotate: none,
      revoke: none,
      health: none,
    },
  };
  const path = join(folder, 'm.sock');
  const socket = await ManagerSocket.open(path, control);
  return { name: 'manager socket', connect: () => connect(path), close: () => socket.close() };
}

/** The three servers of the product, each with nothing behind it. */
export class Servers {
  readonly #folder: string;
  readonly #doors: readonly Door[];

  private constructor(folder: string, doors: readonly Door[]) {
    this.#folder = folder;
    this.#doors = doors;
  }

  static async open(): Promise<Servers> {
    const folder = await mkdtemp(join(tmpdir(), 'elders-fuzz-'));
    const doors = await Promise.all([openElder(), openGateway(folder), openManager(folder)]);
    return new Servers(folder, doors);
  }

  /** Sends one made-up request to one of them; gives whether it was answered as done. Throws when it failed inside. */
  async knock(random: Random): Promise<boolean> {
    const door = random.pick(this.#doors);
    const bytes = request(random);
    const status = await knock(door, bytes);
    if (status === 500) throw new Violation(`the ${door.name} failed inside`, bytes);
    return status === 200;
  }

  async close(): Promise<void> {
    await Promise.all(this.#doors.map((door) => door.close()));
    await rm(this.#folder, { recursive: true, force: true });
  }
}

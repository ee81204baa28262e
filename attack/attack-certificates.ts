import { once } from 'node:events';
import { Agent, request } from 'node:https';
import { connect } from 'node:tls';
import type { AttackTree } from './attack-tree.ts';
import { badCertificates } from './bad-certificates.ts';
import { type Forged, stealAuthority } from './forge-certificate.ts';
import type { Tally } from './tally.ts';

/** Whom the bad certificates pretend to be: who may do most on a port. */
const claims = 'manager';
const answerMs = 30_000;
/** What only the manager may do at an elder's port; each would change its credentials. */
const managerRoutes = [
  ['GET', '/v1/certificate/request?nonce=x'],
  ['PUT', '/v1/certificate'],
  ['PUT', '/v1/trust'],
] as const;

/** Asks an elder's port and gives the status; `null` where the connection was refused. */
async function ask(port: number, { certificate, key }: Forged, method: string, path: string) {
  // The attacker does not care who serves, and shows keys of any strength.
  const ciphers = 'DEFAULT@SECLEVEL=0';
  const agent = new Agent({
    cert: certificate,
    key,
    ciphers,
    rejectUnauthorized: false,
    maxCachedSessions: 0,
  });
  try {
    const signal = AbortSignal.timeout(answerMs);
    const outgoing = request({ host: '127.0.0.1', port, agent, method, path, signal });
    outgoing.end(method === 'PUT' ? '{}' : undefined);
    const [response] = await once(outgoing, 'response');
    response.resume();
    return response.statusCode as number;
  } catch {
    return null;
  } finally {
    agent.destroy();
  }
}

/** Connects to Redis without a login and gives the first line it says; empty where TLS refused. */
function knockAtRedis(port: number, { certificate: cert, key }: Forged): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const ciphers = 'DEFAULT@SECLEVEL=0';
  const socket = connect({ host: '127.0.0.1', port, cert, key, ciphers, rejectUnauthorized: false });
  const timer = setTimeout(() => socket.destroy(), answerMs);
  socket.on('error', () => undefined);
  socket.on('data', (data) => {
    resolve(data.toString('latin1').split('\r\n', 1)[0] as string);
    socket.destroy();
  });
  socket.on('close', () => {
    clearTimeout(timer);
    resolve('');
  });
  socket.write('PING\r\n');
  return promise;
}

/** Shows every kind of bad certificate to every port of the tree, Redis's among them. Gives how many kinds there were. */
export async function tryCertificates(tree: AttackTree, tally: Tally): Promise<number> {
  const authority = await stealAuthority(tree.folder.secret);
  const bad = (await badCertificates({ tree: tree.tree, claims, authority })).filter(
    ({ side }) => side !== 'server',
  );
  const redisPort = tree.endpoint.port;
  let kinds = 0;
  for (const each of bad) {
    try {
      const asked = tree.elders.map(async ({ name, port }) => {
        const status = await ask(port, each, 'GET', '/v1/certificate/request?nonce=x');
        const what = `${each.kind} at ${name} → ${status ?? 'refused'}`;
        const allowed = status !== null && status !== 403;
        tally.attempt({ part: 'certificates', what, allowed, audit: `port ${name}` });
      });
      await Promise.all(asked);
      const answer = await knockAtRedis(redisPort, each);
      const what = `${each.kind} at redis → ${answer || 'refused'}`;
      const refused = each.redisRefuses ? answer === '' : answer === '' || answer.startsWith('-NOAUTH');
      const audit = answer === '' ? 'redis_tls' : 'redis_login ';
      tally.attempt({ part: 'certificates', what, allowed: !refused, audit });
      kinds += 1;
    } catch {
      // A key that is too weak even to be shown is no attempt.
    }
  }
  return kinds;
}

/** Tries what only the manager may do at each port, with the real certificate of each elder. */
export async function tryPorts(tree: AttackTree, tally: Tally): Promise<void> {
  const { elders } = tree;
  for (const { name } of elders) {
    const { tls } = await tree.loot(name);
    const own = { certificate: tls.cert, key: tls.key };
    const asked = elders.map(async (target) => {
      for (const [method, path] of managerRoutes) {
        const status = await ask(target.port, own, method, path);
        const what = `${name} at ${target.name}: ${method} ${path} → ${status ?? 'refused'}`;
        const allowed = status !== 403 && status !== 429 && status !== null;
        tally.attempt({ part: 'ports', what, allowed, audit: `port ${target.name}` });
      }
      const status = await ask(target.port, own, 'GET', '/healthz');
      tally.control(`${name} asks ${target.name} whether it lives → ${status}`, status === 200);
    });
    await Promise.all(asked);
  }
}

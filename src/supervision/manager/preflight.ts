import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Config } from '../../protocol/config.ts';
import { ElderError } from '../../protocol/errors.ts';
import type { ProcessRecord } from '../../protocol/process.ts';
import { type ElderSpec, redisPortOffset } from '../../protocol/roster.ts';
import { isSameProcess } from '../../telemetry/process-identity.ts';
import { describePortHolder } from './port-holder.ts';

/** A port that is needed, and for whom. */
export interface NeededPort {
  readonly name: string;
  readonly port: number;
}

async function isFree(host: string, port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen({ host, port, exclusive: true });
    await once(server, 'listening');
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false;
    const reason = `cannot listen on ${host}:${port}: ${(error as Error).message}`;
    throw new ElderError('config_invalid', reason, { cause: error });
  } finally {
    server.close();
  }
}

/**
 * Checks that all these ports can be listened on. Throws `port_taken`, naming each port, whom it was for and
 * who holds it, and `config_invalid` when the address is not one of this host.
 */
export async function requireFreePorts(host: string, needed: readonly NeededPort[]): Promise<void> {
  const taken: { name: string; port: number; holder: string | null }[] = [];
  for (const { name, port } of needed) {
    if (await isFree(host, port)) continue;
    taken.push({ name, port, holder: await describePortHolder(port) });
  }
  if (taken.length === 0) return;
  const places = taken.map(
    ({ name, port, holder }) => `${port} (for ${name}) is held by ${holder ?? 'another program'}`,
  );
  throw new ElderError('port_taken', places.join('; '), { detail: { ports: taken } });
}

/**
 * Checks the ports of a whole tree; those held by processes of its records are its own, which are taken over or
 * ended. Throws as `requireFreePorts`.
 */
export async function requireTreePorts(
  { host, portBase, redis }: Config,
  specs: readonly ElderSpec[],
  records: ReadonlyMap<string, ProcessRecord>,
): Promise<void> {
  const needed = specs.map(({ name, portOffset }) => ({ name, port: portBase + portOffset }));
  if (redis === undefined) needed.push({ name: 'redis', port: portBase + redisPortOffset });
  const own = new Set([...records.values()].filter(isSameProcess).map((record) => record.port));
  await requireFreePorts(
    host,
    needed.filter(({ port }) => !own.has(port)),
  );
}

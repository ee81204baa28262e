import { once } from 'node:events';
import { Credentials } from '../../identity/credentials.ts';
import type { Broker } from '../../messaging/broker.ts';
import { RedisBroker } from '../../messaging/redis/redis-broker.ts';
import { isAction } from '../../protocol/actions.ts';
import type { ChildReport, RedisLogins, StartOrder } from '../../protocol/bootstrap.ts';
import { childSpec } from '../../protocol/child-spec.ts';
import { asElderError, ElderError } from '../../protocol/errors.ts';
import { roleOf } from '../../protocol/roster.ts';
import { possibleServantNames } from '../../protocol/servant-pools.ts';
import { type StateFolder, stateFolder } from '../../protocol/state-folder.ts';
import { dieLoudly } from '../../telemetry/die-loudly.ts';
import { createLogger, type Logger } from '../../telemetry/logger.ts';
import { createMetrics, type Metrics } from '../../telemetry/metrics.ts';
import { Agent } from '../agent.ts';
import type { AgentObserver, AgentOptions } from '../agent-options.ts';
import type { Core } from '../core.ts';
import { machineSources } from '../machine-sources.ts';
import type { Bootstrapping } from './bootstrap.ts';
import { CommitNoteFile } from './commit-note.ts';
import { listenElderServer } from './elder-server.ts';
import { ManagerWatch } from './manager-watch.ts';
import { Readiness } from './readiness.ts';

/** What a part of a process is given to build on. */
export interface PartTools {
  readonly order: StartOrder;
  readonly folder: StateFolder;
  readonly log: Logger;
}

/** One principal that lives in the process: its core and what it does outside Redis. */
export interface Part {
  readonly principal: string;
  readonly core: Core;
  readonly perform?: AgentOptions['perform'];
  /** Opens what depends on the agent, such as a socket; what it returns closes that again. */
  readonly open?: (agent: Agent, broker: Broker) => Promise<() => Promise<void>>;
}

/** Of the time that the manager gives for draining, what is left for the last commit and closing. */
const closingShare = 0.3;
/** The broker has waited for a connection already. */
const startRetryMs = 50;

/**
 * Runs this process as the elder that its manager wants: serves its port, and runs its parts until SIGTERM, which
 * drains it. Resolves with the exit code. One that `mayWait` is a spare: it waits for its orders for as long as there
 * is a manager.
 */
export async function runElderProcess(
  manager: Bootstrapping,
  assemble: (tools: PartTools, name: string) => Promise<Part[]>,
  { mayWait = false }: { mayWait?: boolean } = {},
): Promise<number> {
  manager.loaded();
  const begin = await manager.begun.catch((error: unknown) => {
    if (mayWait && asElderError(error).code === 'not_running') return null;
    throw error;
  });
  if (begin === null) return 0;
  const { order } = begin;
  const { tree, name, incarnation } = order;
  relinquish(order.relinquish);
  const role = roleOf(name) ?? 'servant';
  const folder = stateFolder(order.project);
  const { level, maxBytes, files } = order.config.log;
  const log = createLogger({ name, file: folder.logFile(name), level, maxBytes, files });
  const metrics = createMetrics({ name, role });
  // A bug must not leave a half-dead process behind: the manager notices the end and starts a fresh one.
  dieLoudly(log, (what, error) => {
    const { reason } = asElderError(error);
    begin.report({ kind: 'failed', error: new ElderError('internal', `${what}: ${reason}`).toJSON() });
  });
  // A terminal's Ctrl-C is the manager's business.
  process.on('SIGINT', () => {});
  const startedAt = Date.now();
  const readiness = new Readiness((reason) => {
    metrics.setReady(reason === null);
    if (reason === null) log.info({}, 'ready');
    else log.warn({ reason }, 'not ready');
    begin.report(reason === null ? { kind: 'ready' } : { kind: 'unready', reason });
  });
  const terminated = once(process, 'SIGTERM');
  const watch = new ManagerWatch({
    timeoutMs: order.config.supervision.orphanTimeout,
    now: () => performance.now(),
  });
  begin.answerProbes(() => {
    watch.seen();
    return readiness.reason;
  });
  const agents: Agent[] = [];
  try {
    const credentials = new Credentials({
      tree,
      name,
      certificate: order.certificate,
      ca: order.ca,
      privateKey: begin.keys.privateKey,
      revoked: order.revoked,
    });
    const info = () => ({
      name,
      role,
      tree,
      incarnation,
      pid: order.pid,
      startedAt,
      commitNumber: agents[0]?.commitNumber ?? 0,
      ready: readiness.reason === null,
      certificateExpiresAt: credentials.expiresAt(),
    });
    const listening = listenElderServer({
      host: order.host,
      port: order.port,
      tree,
      credentials,
      identity: { tree, name, incarnation },
      notReady: () => readiness.reason,
      info,
      metrics: () => metrics.text(),
      connectionAgeMs: order.config.certificates.connectionAge,
      onRequest: (peer) => {
        if (peer === 'manager') watch.seen();
      },
      onRefused: (refusal) => {
        log.warn({ ...refusal }, 'refused');
        const { source, serial, action, reason } = refusal;
        const whom = { subject: source ?? `certificate ${serial ?? 'none'}`, object: name };
        agents[0]?.noteDenial({ kind: 'denial', event: 'https', ...whom, action, reason });
      },
    });
    // Both are awaited below, side by side as they are.
    listening.catch(() => undefined);
    const parts = await assemble({ order, folder, log }, name);
    const orphaned = watch.gone.then(() => log.warn({}, 'no manager has come: this process ends by itself'));
    const starting = Promise.all(
      parts.map((part) =>
        startPart(part, {
          name,
          order,
          logins: begin.credentials,
          tree,
          credentials,
          log,
          metrics,
          readiness,
          agents,
          report: begin.report,
        }),
      ),
    );
    starting.catch(() => undefined);
    const server = await listening;
    const running = await Promise.race([
      starting,
      Promise.race([terminated, orphaned]).then(() => null),
      // Without a manager that gives them there never will be any.
      begin.credentials.then(() => new Promise<never>(() => {})),
    ]);
    if (running === null) {
      // It may be waiting for Redis for ever, and has nothing to drain.
      log.info({}, 'stopped before it was ready');
      return 0;
    }
    readiness.clear('start');
    log.info({ incarnation, port: order.port, pid: order.pid }, 'started');
    const ended = Promise.all(running.map((part) => part.ended));
    await Promise.race([terminated, ended, orphaned]);
    watch.stop();
    readiness.set('stop', 'draining');
    log.info({}, 'draining');
    const drainMs = childSpec(order.config, name).shutdown * (1 - closingShare);
    await Promise.all(running.map((part) => part.close(drainMs)));
    await ended;
    server.closeAllConnections();
    server.close();
    log.info({}, 'stopped');
    return 0;
  } catch (thrown) {
    const error = asElderError(thrown);
    log.fatal({ error: error.toJSON(), stack: error.stack }, 'ended by an error');
    begin.report({ kind: 'failed', error: error.toJSON() });
    return 1;
  }
}

/** Gives up for good what only another elder needs, as far as Node's permission model holds this process. */
function relinquish(folders: readonly string[]): void {
  // Not in the types yet.
  const permission = process.permission as { drop?(scope: string, path: string): void } | undefined;
  for (const path of folders) {
    permission?.drop?.('fs.write', path);
    permission?.drop?.('fs.read', path);
  }
}

interface Surroundings {
  /** Of the process. */
  readonly name: string;
  readonly order: StartOrder;
  readonly logins: Promise<RedisLogins['credentials']>;
  readonly tree: string;
  readonly credentials: Credentials;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly readiness: Readiness;
  readonly agents: Agent[];
  readonly report: (report: ChildReport) => void;
}

interface RunningPart {
  /** Resolves when the agent has stopped, rejects when it must not go on. */
  readonly ended: Promise<void>;
  close(drainMs: number): Promise<void>;
}

async function startPart(part: Part, around: Surroundings): Promise<RunningPart> {
  const { principal, core, perform } = part;
  const { order, logins, tree, credentials, log, readiness, agents } = around;
  const incarnation = order.incarnations[principal];
  if (incarnation === undefined)
    throw new ElderError('internal', `the manager gave no incarnation for ${principal}`);
  const credential = logins.then((all) => {
    const own = all[principal];
    if (own === undefined)
      throw new ElderError('internal', `the manager gave no credential for ${principal}`);
    return own;
  });
  const { messages } = order.config;
  const broker = new RedisBroker({
    tree,
    name: principal,
    incarnation,
    endpoint: order.redis,
    credential,
    tls: () => {
      const { certificate, key, ca, isRevoked } = credentials.current();
      return { cert: certificate, key, ca, ...(isRevoked && { isRevoked }) };
    },
    edgeLimit: messages.edgeLimit,
    retain: messages.retain,
    connectionAgeMs: order.config.certificates.connectionAge,
    onConnection: (connected, error) => {
      around.metrics.setRedisConnected(connected);
      if (connected) readiness.clear(`${principal}:connection`);
      else readiness.set(`${principal}:connection`, error?.message ?? 'no connection to Redis');
    },
  });
  let { ca } = credentials.trust;
  const leave = credentials.onTrust((trust) => {
    // What was opened by a certificate of a root that is trusted no more must not outlive that trust.
    if (trust.ca !== ca) broker.renewConnections();
    ca = trust.ca;
  });
  const path = stateFolder(order.project).commitNote(around.name, principal);
  const note = new CommitNoteFile(path, (error) => log.warn({ error, path }, 'the commits cannot be noted'));
  const agent = new Agent({
    name: principal,
    incarnation,
    pid: order.pid,
    core,
    broker,
    ...machineSources,
    servants: possibleServantNames(order.config),
    attempts: messages.attempts,
    edgeLimit: messages.edgeLimit,
    log,
    observer: observe(principal, around),
    note,
    ...(perform && { perform }),
  });
  agents.push(agent);
  await startWhenReachable(agent, around);
  const closeParts = await part.open?.(agent, broker);
  const ended = agent.run();
  // Looked at by the caller; this only keeps an early failure from counting as unhandled.
  ended.catch(() => {});
  const close = async (drainMs: number) => {
    await agent.drain(drainMs).catch(() => {});
    await closeParts?.();
    agent.stop();
    await ended.catch((error) => log.warn({ error: String(error) }, 'not stopped cleanly'));
    leave();
    await broker.close();
    note.close();
  };
  return { ended, close };
}

async function startWhenReachable(agent: Agent, { readiness, log }: Surroundings): Promise<void> {
  for (;;) {
    try {
      await agent.start();
      return;
    } catch (thrown) {
      const error = asElderError(thrown);
      if (error.code !== 'redis_unreachable') throw error;
      readiness.set('start', error.message);
      log.warn({ error: error.message }, 'Redis is away');
      await new Promise((resolve) => setTimeout(resolve, startRetryMs));
    }
  }
}

function observe(principal: string, { metrics, readiness, log, report }: Surroundings): AgentObserver {
  const outcomes = { acted: 'acted', late: 'late', dead: 'dead', retry: 'retried' } as const;
  return {
    onHandled: (action, outcome, waitedMs) => {
      metrics.messageHandled(isAction(action) ? action : 'unreadable', outcomes[outcome]);
      metrics.readToCommit(waitedMs / 1_000);
    },
    onCommit: (tookMs, handled) => metrics.committed('ok', tookMs / 1_000, handled),
    onDataLost: (reason) => report({ kind: 'data_lost', reason: `${principal}: ${reason}` }),
    onBlocked: (what, error) => {
      if (what === 'edge') {
        // One receiver that lags does not keep this elder from serving the others.
        log.warn({ error: error?.message ?? null }, error ? 'an edge is full' : 'the edge has room again');
      } else if (error) {
        log.warn({ what, error: error.message }, 'waiting');
        readiness.set(`${principal}:${what}`, error.message);
      } else {
        readiness.clear(`${principal}:${what}`);
      }
    },
  };
}

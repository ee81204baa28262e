import type { Broker } from '../../messaging/broker.ts';
import type { IncidentReport } from '../../protocol/actions.ts';
import { ElderError } from '../../protocol/errors.ts';
import type { ManagerEvent } from '../../protocol/local-api.ts';
import type { StateFolder } from '../../protocol/state-folder.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Escalation } from '../branches/branch-supervisor.ts';
import { ManagerOutbox } from '../manager-outbox.ts';
import type { Crash } from '../restarts/crash.ts';
import { type CrashHistory, saveCrashHistory } from '../restarts/crash-memory.ts';

interface TreeAlarmsOptions {
  readonly folder: StateFolder;
  readonly log: Logger;
  readonly emit: (kind: ManagerEvent['kind'], name: string | null, error?: ElderError) => void;
}

/** Incidents that wait for Redis before the oldest is dropped. */
const incidentLimit = 1_000;
/** Ms between two tries at something that waits for Redis. */
const retryDelay = 500;
/** Characters of the detail of an incident. */
const maxDetail = 8_000;

/** Whatever goes wrong in the tree: it is remembered on disk, told as an event, and raised as an incident. */
export class TreeAlarms {
  readonly #options: TreeAlarmsOptions;
  #outbox: ManagerOutbox | null = null;
  #remembering: Promise<void> = Promise.resolve();

  constructor(options: TreeAlarmsOptions) {
    this.#options = options;
  }

  /** From now on messages are sent; `connect` opens a broker for them. */
  report(connect: () => Promise<Broker>): void {
    this.#outbox = new ManagerOutbox({
      connect,
      limit: incidentLimit,
      retryDelay,
      onError: (error, waiting) => this.#options.log.warn({ error, waiting }, 'messages of the manager wait'),
    });
  }

  /** Notes the unexpected end of a process, and what is now known of its crashes. */
  readonly crashed = ({ name, kind, reason }: Crash, history: CrashHistory): void => {
    if (kind === 'data_lost') this.dataLost(reason);
    this.remember(name, history);
    const givenUp = kind === 'given_up';
    this.raise({
      fingerprint: `manager:${name}:${kind}`,
      title: givenUp ? `${name} was given up` : `${name} ended unexpectedly`,
      severity: givenUp ? 'critical' : name === 'redis' ? 'high' : 'medium',
      detail: reason,
    });
  };

  /** Tells that Redis denies more than it can tell of. */
  readonly aclOverflow = (reason: string): void => {
    this.raise({
      fingerprint: 'manager:redis:acl_overflow',
      title: 'Redis denies more than its log holds',
      severity: 'critical',
      detail: reason,
    });
  };

  /** Tells that somebody changed what a user of Redis may do. */
  readonly aclChanged = (reason: string): void => {
    this.raise({
      fingerprint: 'manager:redis:acl_changed',
      title: 'The rights of a user of Redis were changed while the tree ran',
      severity: 'critical',
      detail: reason,
    });
  };

  /** Tells that the audit log is not what was written. */
  readonly auditTampered = (reason: string): void => {
    this.raise({
      fingerprint: 'manager:audit:tampered',
      title: 'The audit log was changed',
      severity: 'critical',
      detail: reason,
    });
  };

  /** Tells what was made of an elder that was given up. */
  readonly escalated = ({ branch, cause, restarted, error }: Escalation): void => {
    const what = restarted
      ? `the branch ${branch} is restarted`
      : `${cause} stays failed and the others go on without it`;
    const why = error === undefined ? '' : `: ${error}`;
    this.#options.log.error({ branch, elder: cause, restarted, error }, `escalation: ${what}`);
    this.raise({
      fingerprint: `manager:branch:${branch}:${restarted ? 'restarted' : 'held'}`,
      title: restarted ? `The branch ${branch} is restarted` : `${cause} stays failed`,
      severity: 'critical',
      detail: `${cause} was given up: ${what}${why}`,
    });
  };

  /** Keeps a crash history on disk, so that it survives this manager. */
  remember(name: string, history: CrashHistory): void {
    const { folder, log } = this.#options;
    this.#remembering = this.#remembering
      .then(() => saveCrashHistory(folder, name, history))
      .catch((error) => log.warn({ error, elder: name }, 'the crash could not be remembered'));
  }

  /** Tells that Redis has lost data. */
  readonly dataLost = (reason: string): void => {
    this.#options.emit('data_lost', 'redis', new ElderError('data_lost', reason));
    this.raise({
      fingerprint: 'manager:redis:data_lost',
      title: 'Redis has lost data that it had acknowledged',
      severity: 'critical',
      detail: reason,
    });
  };

  /** Sends an incident to the incident sage, as soon as that is possible. */
  raise(report: Omit<IncidentReport, 'directiveId'>): void {
    this.#outbox?.raise({ ...report, detail: report.detail.slice(0, maxDetail), directiveId: null });
  }

  /** Sends an order of the manager's, before whatever waits of alarms. */
  readonly order: ManagerOutbox['order'] = (target, action, payload) => {
    this.#outbox?.order(target, action, payload);
  };

  /** Tells what hinders something that nobody waits for. */
  readonly hindered = (what: string, { code, reason }: ElderError): void => {
    this.#options.log.warn({ code, reason }, what);
    this.raise({
      fingerprint: `manager:scaling:${code}`,
      title: what.slice(0, 300),
      severity: 'medium',
      detail: reason,
    });
  };

  /** Resolves when all crashes so far are on disk. */
  async settled(): Promise<void> {
    await this.#remembering;
  }

  /** Drops incidents that still wait and ends the connection. */
  async close(): Promise<void> {
    await this.#outbox?.close();
  }
}

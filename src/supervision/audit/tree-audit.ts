import type { Broker } from '../../messaging/broker.ts';
import type { RedisCommands } from '../../messaging/redis/redis-commands.ts';
import type { AuditEntry, AuditHead } from '../../protocol/audit.ts';
import type { Config } from '../../protocol/config.ts';
import { treeKeys } from '../../protocol/keys.ts';
import { AuditLog, type AuditSink } from '../../telemetry/audit/audit-log.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { AuditAnchor, readAuditAnchor } from './audit-anchor.ts';
import { AuditInbox } from './audit-inbox.ts';
import { configChange } from './config-change.ts';

interface TreeAuditOptions {
  readonly tree: string;
  /** Folder of the audit log. */
  readonly folder: string;
  readonly log: Logger;
  /** Ms between two tries at something that waits for Redis. */
  readonly retryDelay: number;
  /** Told when the log is not what its anchor says. */
  readonly onTampered: (reason: string) => void;
}

interface TreeAuditSources {
  readonly redis: RedisCommands;
  readonly config: Config;
  readonly sources: readonly string[];
  /** Opens a broker as the principal `auditor`. */
  readonly connect: () => Promise<Broker>;
}

/** The audit of one tree: its log, the anchor in Redis, and what the elders send for it. */
export class TreeAudit implements AuditSink {
  readonly #options: TreeAuditOptions;
  readonly #log: AuditLog;
  #anchor: AuditAnchor | null = null;
  #inbox: AuditInbox | null = null;

  private constructor(options: TreeAuditOptions, log: AuditLog) {
    this.#options = options;
    this.#log = log;
  }

  /** Opens the log; what is recorded waits in memory until `begin`. Throws the error of the file system. */
  static async open(options: TreeAuditOptions): Promise<TreeAudit> {
    let audit: TreeAudit | null = null;
    const log = await AuditLog.open({
      folder: options.folder,
      onError: (error, waiting) => options.log.error({ error, waiting }, 'the audit log cannot be written'),
      onTampered: options.onTampered,
      onHead: (head) => audit?.moved(head),
    });
    audit = new TreeAudit(options, log);
    return audit;
  }

  record(entry: AuditEntry): void {
    this.#log.record(entry);
  }

  /** Begins to write, once Redis has told where the log ended, and to take what the elders send. Throws as the connection does. */
  async begin({ redis, config, sources, connect }: TreeAuditSources): Promise<void> {
    const { tree, log, retryDelay, onTampered } = this.#options;
    const keys = treeKeys(tree);
    const anchor = await readAuditAnchor(redis, keys);
    this.#anchor = new AuditAnchor(redis, keys, (error) => log.warn({ error }, 'the audit anchor waits'));
    const { seq } = this.#log.head;
    if (!this.#log.begin(anchor)) {
      const reason = `the audit log ends with record ${seq} and is not the one whose record ${anchor?.seq} Redis knows`;
      log.error({ reason }, 'the audit log was changed');
      onTampered(reason);
    }
    await this.noteConfiguration(config);
    this.#inbox = new AuditInbox({
      log: this.#log,
      connect,
      sources,
      retryDelay,
      onError: (error) => log.warn({ error: error.message }, 'what the elders want audited waits in Redis'),
    });
    this.#inbox.start();
  }

  /** Takes what these send from now on. */
  widen(sources: readonly string[]): void {
    this.#inbox?.widen(sources);
  }

  /** Records what differs from the configuration before; does nothing where nothing does. Throws the error of the file system. */
  async noteConfiguration(config: Config): Promise<void> {
    const change = await configChange(this.#options.folder, config);
    if (!change) return;
    await this.#log.append([change.entry]);
    await change.keep();
  }

  /** Notes where the log ends now. */
  moved(head: AuditHead): void {
    this.#anchor?.set(head);
  }

  /** Takes what the elders have sent so far; Redis must still be there. */
  async settle(): Promise<void> {
    await this.#inbox?.close();
    this.#inbox = null;
  }

  /** Writes what still waits and closes the log. */
  async close(): Promise<void> {
    await this.settle();
    await this.#log.close();
    await this.#anchor?.settled();
  }
}

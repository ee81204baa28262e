import { type FileHandle, mkdir, open, stat } from 'node:fs/promises';
import type { AuditEntry, AuditHead } from '../../protocol/audit.ts';
import { ElderError } from '../../protocol/errors.ts';
import { type AuditEnd, findAuditEnd } from './audit-end.ts';
import { type CompleteEntry, completeEntry, foldEqual } from './audit-entries.ts';
import { sealLine } from './audit-line.ts';
import { type Segment, segmentAt } from './audit-segments.ts';

/** Where others hand in what is to be audited. */
export interface AuditSink {
  /** Queues an entry; never throws and never waits. */
  record(entry: AuditEntry): void;
}

export interface AuditLogOptions {
  /** Folder of the log, made 0700. */
  readonly folder: string;
  /** Size in bytes at which the next segment is begun. */
  readonly maxBytes?: number;
  /** Told when the disk refuses; what could not be written stays queued and is tried again with the next entry. */
  readonly onError?: (error: Error, waiting: number) => void;
  /** Told when somebody else has changed the file that is being written. */
  readonly onTampered?: (reason: string) => void;
  /** Told the new head whenever lines have reached the disk. */
  readonly onHead?: (head: AuditHead) => void;
  readonly now?: () => number;
}

interface Waiting {
  readonly entry: CompleteEntry;
  readonly done?: { resolve: () => void; reject: (error: Error) => void };
}

const defaultMaxBytes = 10_000_000;
const batchLimit = 1_000;
/** Entries that wait for the disk or the anchor; beyond it equal ones are counted and others are told of as dropped. */
const waitingLimit = 100_000;

/**
 * The audit log: JSON lines, each tied to the one before it by a hash, in files that are only ever appended to.
 * There is one writer per folder. Nothing is written before `begin`, so that the writer first learns where
 * the log ended by the word of the anchor.
 */
export class AuditLog implements AuditSink {
  readonly #options: AuditLogOptions;
  #head: AuditHead;
  #segment: Segment | null;
  #size: number;
  #file: FileHandle | null = null;
  #waiting: Waiting[] = [];
  #begun = false;
  #writing: Promise<void> | null = null;
  #closed = false;
  /** Last message recorded of each edge. */
  readonly #seen: Map<string, string>;

  private constructor(options: AuditLogOptions, found: AuditEnd) {
    this.#options = options;
    this.#head = found.head;
    this.#segment = found.segment;
    this.#size = found.size;
    this.#seen = found.seen;
    for (const entry of found.remarks) this.record(entry);
  }

  /**
   * Opens the log of a folder. A last line that a crash cut short is taken out, and that is recorded.
   * Throws the error of the file system.
   */
  static async open(options: AuditLogOptions): Promise<AuditLog> {
    await mkdir(options.folder, { recursive: true, mode: 0o700 });
    return new AuditLog(options, await findAuditEnd(options.folder));
  }

  /** The last record that is on the disk. */
  get head(): AuditHead {
    return this.#head;
  }

  /** The stream id of the last entry of an edge that the log holds, as far as its last segment tells. */
  lastEntryOf(edge: string): string | null {
    return this.#seen.get(edge) ?? null;
  }

  /**
   * Lets the writing begin. Where the anchor knows of more than the log holds, or of something else, the chain goes on
   * from the anchor: what is missing stays visible for ever. Gives false in that case.
   */
  begin(anchor: AuditHead | null): boolean {
    if (this.#begun) return true;
    this.#begun = true;
    const ahead = anchor !== null && anchor.seq > this.#head.seq;
    const differs = anchor !== null && anchor.seq === this.#head.seq && anchor.hash !== this.#head.hash;
    if (anchor !== null && (ahead || differs)) {
      const reason = ahead
        ? `the log ends with record ${this.#head.seq}, its anchor names record ${anchor.seq}`
        : `record ${anchor.seq} is not the one that its anchor names`;
      this.#head = anchor;
      const event = ahead ? 'truncated' : 'rewritten';
      this.#waiting.unshift({
        entry: completeEntry({ kind: 'audit', event, by: 'manager', reason }, this.#now()),
      });
    }
    this.#write();
    return !ahead && !differs;
  }

  record(entry: AuditEntry): void {
    this.#queue({ entry: completeEntry(entry, this.#now()) });
  }

  /** Records entries and resolves once they are on the disk. Rejects when the disk refuses or the log is closed. */
  async append(entries: readonly AuditEntry[]): Promise<void> {
    if (this.#closed) throw new ElderError('conflict', 'the audit log is closed');
    const last = entries.at(-1);
    if (last === undefined) return;
    for (const entry of entries.slice(0, -1)) this.record(entry);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#queue({ entry: completeEntry(last, this.#now()), done: { resolve, reject } });
    await promise;
  }

  /** Writes what waits and closes the file. A log that never began is begun without an anchor. */
  async close(): Promise<void> {
    this.begin(null);
    this.#write();
    await this.#writing;
    this.#closed = true;
    await this.#file?.close();
    this.#file = null;
  }

  #now(): number {
    return (this.#options.now ?? Date.now)();
  }

  #queue(waiting: Waiting): void {
    if (this.#closed) return;
    if (this.#waiting.length >= waitingLimit && !waiting.done) {
      this.#options.onError?.(
        new ElderError('edge_full', 'an audit entry was dropped'),
        this.#waiting.length,
      );
      return;
    }
    this.#waiting.push(waiting);
    this.#write();
  }

  #write(): void {
    if (!this.#begun || this.#writing || this.#waiting.length === 0) return;
    this.#writing = this.#drain().finally(() => {
      this.#writing = null;
    });
  }

  async #drain(): Promise<void> {
    // What is queued in the same turn of the event loop goes together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      try {
        await this.#lookForTampering();
      } catch (error) {
        this.#options.onError?.(error as Error, this.#waiting.length);
        return;
      }
      const batch = this.#waiting.slice(0, batchLimit);
      try {
        await this.#writeBatch(batch);
      } catch (thrown) {
        const error = thrown instanceof Error ? thrown : new Error(String(thrown));
        for (const { done } of batch) done?.reject(error);
        this.#waiting = this.#waiting.filter((each) => !(each.done && batch.includes(each)));
        this.#options.onError?.(error, this.#waiting.length);
        return;
      }
      this.#waiting.splice(0, batch.length);
      for (const { done } of batch) done?.resolve();
      this.#options.onHead?.(this.#head);
    }
  }

  /** Where the file is not the one that was written so far, that is told, and the next segment begins. */
  async #lookForTampering(): Promise<void> {
    if (!this.#file || !this.#segment) return;
    const [own, there] = await Promise.all([this.#file.stat(), stat(this.#segment.path).catch(() => null)]);
    if (there && there.ino === own.ino && there.size === this.#size) return;
    const reason = there
      ? `${this.#segment.name} was changed by somebody else while it was written`
      : `${this.#segment.name} was removed while it was written`;
    await this.#file.close();
    this.#file = null;
    this.#segment = null;
    const entry: AuditEntry = {
      kind: 'audit',
      event: 'tampered',
      by: 'manager',
      object: 'the audit log',
      reason,
    };
    this.#waiting.unshift({ entry: completeEntry(entry, this.#now()) });
    this.#options.onTampered?.(reason);
  }

  async #writeBatch(batch: readonly Waiting[]): Promise<void> {
    let head = this.#head;
    const lines: string[] = [];
    const records = foldEqual(batch.map(({ entry }) => entry));
    for (const record of records) {
      const sealed = sealLine({ seq: head.seq + 1, ...record, prev: head.hash });
      lines.push(sealed.line);
      head = sealed.head;
    }
    const bytes = Buffer.from(`${lines.join('\n')}\n`);
    const file = await this.#fileFor(bytes.length);
    try {
      await file.appendFile(bytes);
      await file.datasync();
    } catch (error) {
      // Whatever part of it arrived would be read as a line that was cut short.
      await file.truncate(this.#size).catch(() => undefined);
      throw error;
    }
    this.#size += bytes.length;
    this.#head = head;
    for (const { from } of records) if (from) this.#seen.set(from.edge, from.entry);
  }

  async #fileFor(bytes: number): Promise<FileHandle> {
    const { folder, maxBytes = defaultMaxBytes } = this.#options;
    const full = this.#size > 0 && this.#size + bytes > maxBytes;
    if (this.#file && !full) return this.#file;
    await this.#file?.close();
    this.#file = null;
    if (this.#segment === null || full) {
      this.#segment = segmentAt(folder, this.#head.seq + 1);
      this.#size = 0;
    }
    this.#file = await open(this.#segment.path, 'a', 0o600);
    return this.#file;
  }
}

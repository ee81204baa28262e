import type { Broker, Entry, Position } from '../../messaging/broker.ts';
import { type Clock, systemClock } from '../../messaging/clock.ts';
import { decodeMessage } from '../../messaging/codec.ts';
import { actionSpec } from '../../protocol/actions.ts';
import type { AuditEntry, AuditKind } from '../../protocol/audit.ts';
import { edgeLanes } from '../../protocol/edges.ts';
import { asElderError, ElderError } from '../../protocol/errors.ts';
import { type EdgeKey, edgeKey, splitEdgeKey } from '../../protocol/keys.ts';
import { readWindow } from '../../protocol/lanes.ts';
import { maySend } from '../../protocol/permissions.ts';
import { safeCheck } from '../../protocol/safe-check.ts';
import type { AuditLog } from '../../telemetry/audit/audit-log.ts';
import { compareEntries } from './entry-order.ts';
import { LineBudget } from './line-budget.ts';

/** The principal in whose name the manager reads what is to be audited. */
export const auditor = 'auditor';

interface AuditInboxOptions {
  readonly log: Pick<AuditLog, 'append' | 'lastEntryOf'>;
  /** Opens a broker as the principal `auditor` with an incarnation of its own; rejects while Redis is away. */
  readonly connect: () => Promise<Broker>;
  /** Who may have something to tell. */
  readonly sources: readonly string[];
  /** Ms between two tries while Redis or the disk refuses. */
  readonly retryDelay: number;
  readonly onError: (error: ElderError) => void;
  readonly clock?: Clock;
}

const waitMs = 10_000;
/** Of each elder: at some 400 bytes a line that is 8 MB at once and 3.5 GB a day for one that does nothing else. */
const lineBudget = { burst: 20_000, perSecond: 100 };

/** What others than the manager may speak of, besides the denials that everybody meets. */
const spokenOf: Readonly<Record<string, readonly AuditKind[]>> = { grand_elder: ['approval', 'emergency'] };

/**
 * Brings what the elders want audited from their edges into the audit log. It is on the disk before the reading goes on
 * behind it, and what is read twice because of a crash in between is told by its stream id and recorded once.
 */
export class AuditInbox {
  readonly #options: AuditInboxOptions;
  readonly #clock: Clock;
  readonly #budget: LineBudget;
  readonly #closed = new AbortController();
  #broker: Broker | null = null;
  /** Who may have something to tell. */
  #sources: readonly string[];
  /** Ends a wait, so that the next read is one of all edges. */
  #widened = new AbortController();
  #stored: ReadonlyMap<EdgeKey, Position> = new Map();
  #positions = new Map<EdgeKey, string>();
  #commitNumber = 0;
  #running: Promise<void> | null = null;

  constructor(options: AuditInboxOptions) {
    this.#options = options;
    this.#sources = options.sources;
    this.#clock = options.clock ?? systemClock;
    this.#budget = new LineBudget({ ...lineBudget, now: () => this.#clock.now() });
  }

  /** Begins to read, until `close`. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Reads what these have to tell from now on. */
  widen(sources: readonly string[]): void {
    this.#sources = sources;
    this.#lookAtAll();
    this.#widened.abort();
    this.#widened = new AbortController();
  }

  /** Reads what still waits, if Redis lets it, and ends. */
  async close(): Promise<void> {
    this.#closed.abort();
    await this.#running;
    await this.#broker?.close();
    this.#broker = null;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closed;
    for (let last = false; !last; ) {
      last = signal.aborted;
      try {
        this.#broker ??= await this.#open();
        while (await this.#take(this.#broker, last)) if (signal.aborted && !last) break;
      } catch (thrown) {
        const error = asElderError(thrown);
        if (last) return;
        this.#options.onError(error);
        await this.#reset(error);
        await this.#pause(signal);
      }
    }
  }

  async #pause(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#clock.setTimer(this.#options.retryDelay, resolve);
    const abort = () => resolve();
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) resolve();
    await promise;
    cancel();
    signal.removeEventListener('abort', abort);
  }

  /** A broken connection keeps its incarnation; anything else starts over with a new one. */
  async #reset(error: ElderError): Promise<void> {
    if (error.code === 'redis_unreachable' && this.#broker) return;
    const broker = this.#broker;
    this.#broker = null;
    await broker?.close().catch(() => undefined);
  }

  async #open(): Promise<Broker> {
    const broker = await this.#options.connect();
    try {
      const { commitNumber, positions } = await broker.load();
      this.#commitNumber = commitNumber;
      this.#stored = positions;
      this.#positions = new Map();
      this.#lookAtAll();
    } catch (error) {
      await broker.close();
      throw error;
    }
    return broker;
  }

  #lookAtAll(): void {
    const edges = this.#sources.flatMap((source) =>
      edgeLanes(source, auditor).map((lane) => edgeKey(source, lane)),
    );
    const position = (edge: EdgeKey) => this.#positions.get(edge) ?? this.#stored.get(edge)?.id ?? '0-0';
    this.#positions = new Map(edges.map((edge) => [edge, position(edge)]));
  }

  /** Reads once and records; gives whether to go on: there was something, or there may be later. */
  async #take(broker: Broker, last: boolean): Promise<boolean> {
    const { log } = this.#options;
    const { signal } = this.#closed;
    const wait = last ? { waitMs: 0 } : { waitMs, signal: AbortSignal.any([signal, this.#widened.signal]) };
    const entries = await broker.read(this.#positions, { count: readWindow, ...wait });
    if (entries.length === 0) return !last && !signal.aborted;
    const records = entries.flatMap((entry) => recordsOf(entry));
    await log.append(this.#budget.apply(records.filter((record) => isNew(record, log))));
    const positions = new Map<EdgeKey, Position>();
    for (const { edge, id, sequence } of entries) positions.set(edge, { id, sequence });
    await this.#commit(broker, positions);
    for (const [edge, { id }] of positions) this.#positions.set(edge, id);
    return true;
  }

  async #commit(broker: Broker, positions: ReadonlyMap<EdgeKey, Position>): Promise<void> {
    const number = this.#commitNumber + 1;
    const none = { set: new Map(), remove: new Set<string>(), send: [], journal: null };
    const answer = await broker.commit({ number, positions, ...none });
    const landed = answer.kind === 'ok' || (answer.kind === 'stale' && answer.number === number);
    if (!landed)
      throw new ElderError('fenced', `the positions in the audit log were not taken: ${answer.kind}`);
    this.#commitNumber = number;
  }
}

/** Turns one message into what is to be recorded. What does not fit is recorded as a denial of its sender. */
function recordsOf({ edge, id, body, head }: Entry): AuditEntry[] {
  const { source } = splitEdgeKey(edge);
  const from = (part: number) => ({ edge, entry: `${id}#${part}` });
  const refused = (reason: string): AuditEntry[] => [
    {
      kind: 'denial',
      event: 'receive',
      by: auditor,
      subject: source,
      object: auditor,
      reason,
      from: from(0),
    },
  ];
  const decoded = decodeMessage(body, edge, auditor, head);
  if (!decoded.ok) return refused(decoded.error.message);
  const { action, payload } = decoded.message;
  if (action !== 'audit.report') return refused(`${action} is nothing that ${auditor} takes`);
  const verdict = maySend(source, auditor, action);
  if (!verdict.allowed) return refused(verdict.rule);
  const checked = safeCheck(actionSpec(action).payload, payload);
  if (!checked.ok) return refused(checked.reason);
  const { entries } = checked.value as { entries: Omit<AuditEntry, 'by' | 'from'>[] };
  return entries.map((entry, part) => {
    const mayTell = entry.kind === 'denial' || spokenOf[source]?.includes(entry.kind);
    if (mayTell) return { ...entry, by: source, from: from(part) };
    const [denial] = refused(`${source} may not speak of kind ${entry.kind}`) as [AuditEntry];
    return { ...denial, from: from(part) };
  });
}

/** Whether the log does not hold it yet. */
function isNew({ from }: AuditEntry, log: AuditInboxOptions['log']): boolean {
  const last = from && log.lastEntryOf(from.edge);
  return !from || !last || compareEntries(from.entry, last) > 0;
}

import { answersLater, type Context, type Core, type Effect, type Received } from '../../agents/core.ts';
import type { Action } from '../../protocol/actions.ts';
import { ElderError, type WireError } from '../../protocol/errors.ts';
import type { RagAnswer, RagContext, RagSource, RagVectors } from '../../protocol/rag.ts';
import type { SearchQuestion } from './indexing/messages.ts';
import type { SourceReport } from './indexing/source-report.ts';

/** What this sage asks of its executor. */
export type RagEffect =
  | { readonly kind: 'index' | 'forget'; readonly path: string }
  | { readonly kind: 'search'; readonly question: SearchQuestion };

/** What the executor tells. */
export type RagInput =
  | { readonly kind: 'report'; readonly report: SourceReport }
  | { readonly kind: 'forgotten'; readonly path: string }
  | { readonly kind: 'vectors'; readonly vectors: RagVectors | null }
  | {
      readonly kind: 'answered';
      readonly id: string;
      readonly answer:
        | { readonly result: Omit<RagAnswer, 'indexing'> | RagContext }
        | { readonly error: WireError };
    };

/** A question that waits for its answer; asked again by a successor. */
interface Pending {
  readonly source: string;
  readonly correlationId: string;
  readonly priority: number;
  /** Ms since the epoch; after it nobody waits any more. */
  readonly until: number;
  /** Null: it waits for the folder to be indexed. */
  readonly question: SearchQuestion | null;
  readonly settled: string | null;
}

/** Where the sender does not say for how long it waits (ms). */
const longestWaitMs = 60_000;
const mostPending = 500;
const mostSources = 100;

const sources = (ctx: Context) => ctx.table<RagSource>('sources');
const vectorsOf = (ctx: Context) => ctx.table<RagVectors>('vectors');
const pending = (ctx: Context) => ctx.table<Pending>('pending');

function wanted(ctx: Context, effect: RagEffect): void {
  ctx.effect(effect);
}

function newSource(ctx: Context, path: string): RagSource {
  return {
    ...{
      path,
      state: 'waiting',
      reason: null,
      addedAt: ctx.now(),
      at: null,
      files: 0,
      passages: 0,
      bytes: 0,
    },
    ...{ skipped: {}, problems: [], problemCount: 0, changed: 0, tookMs: 0, watching: 'no' },
  };
}

function addSource(ctx: Context, path: string): RagSource {
  // What a walk passes by must not come in as its beginning.
  if (/\/\.(?:elders|git)(?:\/|$)/u.test(path)) {
    throw new ElderError('conflict', `${path} is in a folder that is never indexed`);
  }
  const known = sources(ctx).get(path);
  if (!known && sources(ctx).size >= mostSources) {
    throw new ElderError('conflict', `${mostSources} folders are indexed already; forget one of them first`);
  }
  const source: RagSource = { ...(known ?? newSource(ctx, path)), state: 'waiting' };
  sources(ctx).put(path, source);
  wanted(ctx, { kind: 'index', path });
  return source;
}

function forgetSource(ctx: Context, path: string): RagSource {
  const source = sources(ctx).get(path);
  if (!source) throw new ElderError('not_found', `${path} is not indexed`);
  sources(ctx).delete(path);
  wanted(ctx, { kind: 'forget', path });
  return source;
}

/** Keeps a question until its answer comes from outside; the handler answers nothing for now. */
function keep(
  ctx: Context,
  { message, source }: Pick<Received<Action>, 'message' | 'source'>,
  what: Pick<Pending, 'question' | 'settled'>,
): typeof answersLater {
  if (pending(ctx).size >= mostPending) {
    throw new ElderError('rate_limited', `${mostPending} questions wait already`);
  }
  const { message_id: id, correlation_id: correlationId = id, priority, expires_at: expiresAt } = message;
  const until = expiresAt === undefined ? ctx.now() + longestWaitMs : Date.parse(expiresAt);
  pending(ctx).put(id, { source, correlationId, priority, until, ...what });
  if (what.question) wanted(ctx, { kind: 'search', question: what.question });
  return answersLater;
}

function reply(
  ctx: Context,
  id: string,
  row: Pending,
  answer: { result: unknown } | { error: WireError },
): void {
  pending(ctx).delete(id);
  const { source, correlationId, priority } = row;
  const options = { causationId: id, correlationId, priority };
  if ('error' in answer) ctx.send(source, 'reply.error', answer.error as never, options);
  else ctx.send(source, 'reply.result', { result: answer.result as never }, options);
}

function isBusy({ state }: RagSource): boolean {
  return state === 'waiting' || state === 'indexing';
}

function status(ctx: Context): { sources: RagSource[]; vectors: RagVectors | null } {
  const all = [...sources(ctx).entries()].map(([, source]) => source);
  return { sources: all, vectors: vectorsOf(ctx).get('present') ?? null };
}

function report(ctx: Context, { path, state, reason, at, ...sums }: SourceReport): void {
  const known = sources(ctx).get(path);
  // It was forgotten meanwhile.
  if (!known) return;
  const { skipped, problems, watching, changed, tookMs, files, passages, bytes, problemCount } = sums;
  const counted =
    state === 'ready'
      ? { files, passages, bytes, problemCount, skipped, problems: [...problems] }
      : state === 'indexing' && { files, passages, bytes };
  const next: RagSource = { ...known, state, reason, at, changed, tookMs, watching, ...counted };
  sources(ctx).put(path, { ...next, skipped: { ...next.skipped }, problems: cutProblems(next.problems) });
  if (isBusy(next)) return;
  for (const [id, row] of [...pending(ctx).entries()]) {
    if (row.settled === path) reply(ctx, id, row, { result: status(ctx) });
  }
}

/** An answer is one message, and there may be a hundred folders. */
function cutProblems(problems: RagSource['problems']): RagSource['problems'] {
  return problems.slice(0, 25).map((problem) => ({ ...problem, detail: problem.detail.slice(0, 200) }));
}

function answered(ctx: Context, { id, answer }: Extract<RagInput, { kind: 'answered' }>): void {
  const row = pending(ctx).get(id);
  if (!row) return;
  if ('error' in answer || 'context' in answer.result) {
    reply(ctx, id, row, answer);
    return;
  }
  const indexing = [...sources(ctx).entries()].some(([, source]) => isBusy(source));
  reply(ctx, id, row, { result: { ...answer.result, indexing } });
}

/** The RAG sage: keeps folders indexed and finds passages of code and documents in them. */
export function ragSage(): Core {
  const paths = (ctx: Context) => [...sources(ctx).entries()].map(([path]) => path);
  return {
    onStart: (ctx) => {
      for (const path of paths(ctx)) wanted(ctx, { kind: 'index', path });
      for (const [id, { until, question }] of [...pending(ctx).entries()]) {
        if (until <= ctx.now()) pending(ctx).delete(id);
        else if (question) wanted(ctx, { kind: 'search', question });
      }
    },
    handlers: {
      'sage.rag.index': (ctx, { payload }) => addSource(ctx, payload.path),
      'sage.rag.forget': (ctx, { payload }) => forgetSource(ctx, payload.path),
      'sage.rag.search': (ctx, received) => {
        const { message_id: id } = received.message;
        const question = { id, kind: 'search', ...received.payload, sources: paths(ctx) } as const;
        return keep(ctx, received, { question, settled: null });
      },
      'sage.rag.context': (ctx, received) => {
        const { query, budget, below } = received.payload;
        const { message_id: id } = received.message;
        const question = { id, kind: 'context', query, budget, below, sources: paths(ctx) } as const;
        return keep(ctx, received, { question, settled: null });
      },
      'sage.rag.status': (ctx, received) => {
        const { settled } = received.payload;
        const source = settled === null ? undefined : sources(ctx).get(settled);
        if (settled !== null && !source) throw new ElderError('not_found', `${settled} is not indexed`);
        if (!source || !isBusy(source)) return status(ctx);
        return keep(ctx, received, { question: null, settled });
      },
    },
    onInput: (ctx, input: Effect) => {
      const told = input as unknown as RagInput;
      if (told.kind === 'report') report(ctx, told.report);
      else if (told.kind === 'answered') answered(ctx, told);
      else if (told.kind === 'vectors') {
        if (told.vectors) vectorsOf(ctx).put('present', told.vectors);
        else vectorsOf(ctx).delete('present');
      }
    },
    wakeAt: (ctx) => {
      const ends = [...pending(ctx).entries()].map(([, { until }]) => until);
      return ends.length === 0 ? undefined : Math.min(...ends);
    },
    onWake: (ctx) => {
      for (const [id, { until }] of [...pending(ctx).entries()]) {
        // Who asked knows by itself that the time is over.
        if (until <= ctx.now()) pending(ctx).delete(id);
      }
    },
  };
}

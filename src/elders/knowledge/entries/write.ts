import { isDeepStrictEqual } from 'node:util';
import type { Context } from '../../../agents/core.ts';
import { asElderError, ElderError } from '../../../protocol/errors.ts';
import type {
  KnowledgeContent,
  KnowledgeInput,
  KnowledgePutResult,
  SimilarEntry,
} from '../../../protocol/knowledge.ts';
import { linkSimilar } from './likeness.ts';
import { type KnowledgeLimits, keepEntry, keepFormer, makeRoom } from './room.ts';
import { entriesOf, likenessOf } from './tables.ts';

/** Whose change it is, and why. */
export interface Authorship {
  readonly by: string;
  readonly note: string;
}

/** Makes an id of the words of a title that any file system takes, and a little chance. */
function newId(ctx: Context, { title, kind }: KnowledgeInput): string {
  const words = title
    .normalize('NFKD')
    .toLowerCase()
    .match(/[a-z0-9]+/g);
  const stem = (words ?? [kind]).join('-').slice(0, 40).replace(/-$/, '');
  for (;;) {
    const id = `${stem}-${ctx.newId().replaceAll('-', '').slice(-8)}`;
    if (!entriesOf(ctx).has(id)) return id;
  }
}

/** Throws `not_found` where what replaces an entry does not exist, `conflict` where it is replaced by the entry itself. */
function checkSuccessor(ctx: Context, { id, supersededBy }: KnowledgeContent): void {
  if (supersededBy === null) return;
  if (supersededBy !== id && !entriesOf(ctx).has(supersededBy)) {
    throw new ElderError('not_found', `no entry ${supersededBy}, which is to replace ${id}`);
  }
  for (let next: string | null = supersededBy; next !== null; ) {
    if (next === id) throw new ElderError('conflict', `${id} would replace itself`);
    next = entriesOf(ctx).get(next)?.supersededBy ?? null;
  }
}

/** Takes one entry in. Throws `conflict`, `not_found`, `too_large`. */
export function putEntry(
  ctx: Context,
  input: KnowledgeInput,
  { by, note }: Authorship,
  limits: KnowledgeLimits,
): KnowledgePutResult {
  const { ifVersion, ...given } = input;
  const content: KnowledgeContent = { ...given, id: given.id ?? newId(ctx, input) };
  const { id } = content;
  const before = entriesOf(ctx).get(id);
  const version = before?.version ?? 0;
  if (ifVersion !== undefined && ifVersion !== version) {
    const what = ifVersion === 0 ? 'exists already' : `is at version ${version}, not ${ifVersion}`;
    throw new ElderError('conflict', `${id} ${what}`);
  }
  const names = Object.keys(content) as (keyof KnowledgeContent)[];
  const changed = before ? names.filter((name) => !isDeepStrictEqual(content[name], before[name])) : [];
  const done = (outcome: KnowledgePutResult['outcome'], at: number, similar: SimilarEntry[]) => ({
    ...{ id, outcome, version: at, code: null, reason: null, similar },
  });
  if (before && changed.length === 0) {
    return done('unchanged', version, [...(likenessOf(ctx).get(id)?.similar ?? [])]);
  }
  checkSuccessor(ctx, content);
  const kept = before ? keepFormer(ctx, before, limits) : [];
  const now = ctx.now();
  const createdAt = before?.createdAt ?? now;
  keepEntry(ctx, { ...content, version: version + 1, createdAt, updatedAt: now, by, note, changed, kept });
  makeRoom(ctx, limits, id);
  return done(
    before ? 'changed' : 'added',
    version + 1,
    linkSimilar(ctx, id, `${content.title}\n${content.body}`),
  );
}

/** Takes entries in, each by itself: one that is refused does not keep the others out. */
export function putEntries(
  ctx: Context,
  inputs: readonly KnowledgeInput[],
  author: Authorship,
  limits: KnowledgeLimits,
): KnowledgePutResult[] {
  return inputs.map((input) => {
    try {
      return putEntry(ctx, input, author, limits);
    } catch (thrown) {
      const { code, reason } = asElderError(thrown);
      if (code !== 'conflict' && code !== 'not_found') throw thrown;
      const id = input.id ?? '';
      const version = entriesOf(ctx).get(id)?.version ?? 0;
      return { id, outcome: 'refused', version, code, reason, similar: [] };
    }
  });
}

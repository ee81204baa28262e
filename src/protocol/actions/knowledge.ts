import { z } from 'zod';
import {
  forgottenKnowledge,
  knowledgeEntry,
  knowledgeFilters,
  knowledgeForget,
  knowledgeHit,
  knowledgeKinds,
  knowledgeLinks,
  knowledgePut,
  knowledgePutResult,
  knowledgeVersion,
} from '../knowledge.ts';
import type { ActionSpec } from './action-spec.ts';
import { directiveId } from './ids.ts';

/** A piece of knowledge that an elder writes; what it leaves out has its usual value. */
export const knowledgeDraft = z.object({
  key: z.string().min(1).max(200).describe('Id of the entry; storing it again makes a new version.'),
  title: z.string().min(1).max(300),
  body: z.string().max(65_536),
  tags: z.array(z.string().max(64)).max(32),
  directiveId: directiveId.nullable(),
  kind: z.enum(knowledgeKinds).optional(),
  source: z.string().min(1).max(300).optional(),
  confidence: z.number().min(0).max(1).nullable().optional(),
  derived: z.boolean().optional(),
  links: knowledgeLinks.optional(),
});

/** Knowledge: asked for, added, changed and removed. */
export const knowledgeActions = {
  'sage.knowledge.search': {
    type: 'query',
    summary: 'Find what is known; Japanese and English words.',
    payload: knowledgeFilters.extend({
      query: z.string().min(1).max(2_000),
      limit: z.int().min(1).max(50).default(5),
      distinct: z.boolean().default(false).describe('Of entries that say nearly the same, only the best.'),
      explain: z.boolean().default(false),
    }),
    reply: z.object({
      method: z.enum(['lexical', 'scan']).optional().describe('Full-text index, or every entry looked at.'),
      entries: z.array(knowledgeHit),
    }),
  },
  'sage.knowledge.show': {
    type: 'query',
    summary: 'One entry, as it is or as it was in a version.',
    payload: z.object({ id: z.string().min(1).max(200), version: z.int().min(1).optional() }),
    reply: knowledgeEntry,
  },
  'sage.knowledge.history': {
    type: 'query',
    summary: 'The versions of an entry, the newest first.',
    payload: z.object({ id: z.string().min(1).max(200) }),
    reply: z.object({ id: z.string(), versions: z.array(knowledgeVersion), dropped: z.int() }),
  },
  'sage.knowledge.list': {
    type: 'query',
    summary: 'Entries: the newest first, or, for reading all, by id.',
    payload: knowledgeFilters.extend({
      limit: z.int().min(1).max(500).default(50),
      after: z.string().max(200).optional().describe('Those whose ids come after this, with their bodies.'),
    }),
    reply: z.object({ entries: z.array(knowledgeEntry), total: z.int(), more: z.boolean() }),
  },
  'development.knowledge.put': {
    type: 'command',
    summary: 'The human adds or changes pieces of knowledge; each is taken or refused by itself.',
    payload: knowledgePut,
    reply: z.object({ results: z.array(knowledgePutResult) }),
  },
  'sage.knowledge.put': {
    type: 'command',
    summary: 'Add or change pieces of knowledge; each is taken or refused by itself.',
    payload: knowledgePut,
    reply: z.object({ results: z.array(knowledgePutResult) }),
  },
  'development.knowledge.forget': {
    type: 'command',
    summary: 'The human removes a piece of knowledge with all its versions.',
    payload: knowledgeForget,
    reply: forgottenKnowledge,
  },
  'sage.knowledge.forget': {
    type: 'command',
    summary: 'Remove a piece of knowledge with all its versions.',
    payload: knowledgeForget,
    reply: forgottenKnowledge,
  },
  'sage.knowledge.store': {
    type: 'command',
    summary: 'Keep a piece of knowledge.',
    payload: knowledgeDraft,
  },
} as const satisfies Record<string, ActionSpec>;

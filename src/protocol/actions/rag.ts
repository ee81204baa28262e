import { z } from 'zod';
import { ragAnswer, ragContext, ragSource, ragVectors } from '../rag.ts';
import type { ActionSpec } from './action-spec.ts';

const ragPath = z.string().min(1).max(4_096).regex(/^\//, 'expected an absolute path');
const ragOrder = z.object({ path: ragPath });

/** The index of folders: kept, asked and told about. */
export const ragActions = {
  'sage.rag.search': {
    type: 'query',
    summary: 'Passages of code and documents with citations.',
    payload: z.object({
      query: z.string().min(1).max(2_000),
      limit: z.int().min(1).max(50).default(5),
      below: ragPath.nullable().default(null).describe('Only files below this folder.'),
      explain: z.boolean().default(false),
    }),
    reply: ragAnswer,
  },
  'sage.rag.context': {
    type: 'query',
    summary: 'The best passages put together for a model to read, within a number of tokens.',
    payload: z.object({
      query: z.string().min(1).max(2_000),
      budget: z.int().min(64).max(100_000).default(4_000).describe('Tokens, as they are estimated.'),
      below: ragPath.nullable().default(null),
    }),
    reply: ragContext,
  },
  'sage.rag.status': {
    type: 'query',
    summary: 'The folders that are indexed, what was left out of them and why.',
    payload: z.object({
      settled: ragPath
        .nullable()
        .default(null)
        .describe('Answer when this folder is not being indexed any more.'),
    }),
    reply: z.object({
      sources: z.array(ragSource),
      vectors: ragVectors.nullable().describe('Null: no embedding server is configured.'),
    }),
  },
  'development.rag.index': {
    type: 'command',
    summary: 'Keep a folder indexed.',
    payload: ragOrder,
    reply: ragSource,
  },
  'development.rag.forget': {
    type: 'command',
    summary: 'Take a folder out of the index.',
    payload: ragOrder,
    reply: ragSource,
  },
  'sage.rag.index': {
    type: 'command',
    summary: 'Keep a folder indexed.',
    payload: ragOrder,
    reply: ragSource,
  },
  'sage.rag.forget': {
    type: 'command',
    summary: 'Take a folder out of the index.',
    payload: ragOrder,
    reply: ragSource,
  },
} as const satisfies Record<string, ActionSpec>;

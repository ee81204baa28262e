import { z } from 'zod';
import { duration, size } from './values.ts';

/** What the RAG sage indexes, and how. */
export const rag = z
  .strictObject({
    maxFileSize: size('4MB').describe('Larger files are not indexed.'),
    embeddings: z
      .strictObject({
        url: z
          .url({ protocol: /^https?$/ })
          .describe(
            'Such as `http://127.0.0.1:11434` for Ollama, `https://host/v1` for OpenAI-compatible servers.',
          ),
        model: z.string().min(1).describe('Name of the model, as that server knows it.'),
        protocol: z.enum(['openai', 'ollama']).default('openai').describe('How that server is spoken to.'),
        apiKeyFile: z.string().optional().describe('File in the project that holds the key of the server.'),
        timeout: duration('10s').describe('How long the server may take for an answer.'),
      })
      .optional()
      .describe('A server that turns texts into vectors; without it search is by words alone.'),
  })
  .prefault({})
  .describe('What the RAG sage indexes, and how.');

/** How the knowledge sage and the RAG sage search. */
export const search = z
  .strictObject({
    dictionary: z
      .string()
      .min(1)
      .optional()
      .describe('File in the project with words that mean the same here; see docs/guides/search.md.'),
  })
  .prefault({})
  .describe('How the knowledge sage and the RAG sage search.');

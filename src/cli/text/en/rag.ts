/** The index of folders, in English. */
export const rag = {
  groups: {
    rag: 'index folders and find passages in them',
  },
  commands: {
    'rag index': {
      summary: 'keep a folder or repository indexed, and watch it for changes',
      arguments: { path: 'folder or file' },
      options: { wait: 'until everything in it can be found', timeout: 'how long to wait (default 1h)' },
    },
    'rag search': {
      summary: 'find passages of documents and code, with path and lines',
      arguments: { query: 'words or a question; "exact phrase", path:x, lang:x, -without, prefix*' },
      options: {
        limit: 'how many (default 5)',
        below: 'only files below this folder',
        explain: 'with --json: say how each score came about',
        timeout: 'how long to wait for the answer (default 30s)',
      },
    },
    'rag context': {
      summary: 'put the best passages together for a model to read',
      arguments: { query: 'words or a question' },
      options: {
        budget: 'tokens, as they are estimated (default 4000)',
        below: 'only files below this folder',
        timeout: 'how long to wait for the answer (default 30s)',
      },
    },
    'rag status': {
      summary: 'show what is indexed, what was left out and why',
      arguments: {},
      options: {},
    },
    'rag forget': {
      summary: 'take a folder out of the index',
      arguments: { path: 'folder or file that was indexed' },
      options: {},
    },
  },
  texts: {
    rag: {
      nothing: 'Nothing was found.',
      noSources: 'Nothing is indexed yet: elders rag index PATH',
      indexing: 'Not everything is indexed yet.',
      methods: { lexical: 'found by words (lexical)', hybrid: 'found by words and meaning (hybrid)' },
      without: (reason: string) => `without embeddings: ${reason}`,
      queued: (path: string) => `${path} is being indexed: elders rag status`,
      indexed: (path: string, files: number, passages: number, seconds: string) =>
        `${path}: ${files} files, ${passages} passages (${seconds} s)`,
      progress: (path: string, files: number, passages: number) =>
        `${path}: ${files} files, ${passages} passages so far`,
      forgotten: (path: string) => `${path} is not indexed any more.`,
      outside: (path: string) =>
        `${path} lies outside of the project: the RAG sage is started anew to see it.`,
      states: { waiting: 'waiting', indexing: 'indexing', ready: 'ready', failed: 'failed' },
      head: ['STATE', 'FILES', 'PASSAGES', 'LEFT OUT', 'WATCHED', 'FOLDER'],
      modified: '(modified)',
      vectors: (of: { model: string; made: number; refused: number; passages: number }) =>
        `By meaning (${of.model}): ${of.made} of ${of.passages} passages${of.refused === 0 ? '' : `, ${of.refused} refused`}`,
      problems: (count: number) => `${count} files with something to know:`,
      leftOut: 'left out',
      context: (tokens: number, budget: number) => `about ${tokens} of ${budget} tokens`,
    },
  },
};

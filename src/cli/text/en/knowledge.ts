const entryOptions = {
  title: 'title; of a file: its first heading',
  body: 'text in Markdown',
  kind: 'lesson (usual), decision, pattern or document',
  tags: 'words, with commas between',
  source: 'where it comes from (usual: human)',
  confidence: 'how sure you are: 0 to 1, or none',
  directives: 'ids of directives it belongs to, with commas between',
  tasks: 'tasks it belongs to (DIRECTIVE/TASK), with commas between',
  incidents: 'ids of incidents it belongs to, with commas between',
  expires: 'from when it is no longer found: now, never, 720h, or a date',
  'superseded-by': 'id of the entry that holds in its place, or none',
  reason: 'why; kept with the version',
};

const entryFilters = {
  kind: 'only lesson, decision, pattern or document',
  tags: 'only with all of these tags (commas between)',
  all: 'also what is superseded or expired',
};

/** Knowledge, in English. */
export const knowledge = {
  groups: {
    knowledge: 'keep what was learned and decided, and find it again',
  },
  commands: {
    'knowledge add': {
      summary: 'add what was learned or decided',
      arguments: { file: 'Markdown file, with front matter or without; - is standard input' },
      options: {
        id: 'its id, which is also its file name (usual: made of the title)',
        ...entryOptions,
      },
    },
    'knowledge edit': {
      summary: 'change an entry, by options, by a file, or in $EDITOR; the former version is kept',
      arguments: {
        id: 'id of an entry',
        file: 'Markdown file, with front matter or without; - is standard input',
      },
      options: {
        ...entryOptions,
      },
    },
    'knowledge show': {
      summary: 'show an entry with its links and where it comes from',
      arguments: { id: 'id of an entry' },
      options: { 'at-version': 'as it was in this version' },
    },
    'knowledge history': {
      summary: 'show the versions of an entry: when, by whom, what changed and why',
      arguments: { id: 'id of an entry' },
      options: {},
    },
    'knowledge list': {
      summary: 'list what is known, the newest first',
      arguments: {},
      options: {
        ...entryFilters,
        limit: 'how many (default 50)',
      },
    },
    'knowledge search': {
      summary: 'find what is known, in Japanese and English',
      arguments: { query: 'words or a question; "exact phrase", tag:x, kind:x, -without, prefix*' },
      options: {
        ...entryFilters,
        limit: 'how many (default 5)',
        explain: 'with --json: say how each score came about',
        timeout: 'how long to wait for the answer (default 30s)',
      },
    },
    'knowledge import': {
      summary: 'take in a folder of Markdown files; what is the same already stays as it is',
      arguments: { folder: 'folder of Markdown files' },
      options: { reason: 'why; kept with each version' },
    },
    'knowledge forget': {
      summary: 'remove an entry with all its versions',
      arguments: { id: 'id of the entry' },
      options: {},
    },
    'knowledge export': {
      summary: 'write every entry as a Markdown file; files that say the same stay as they are',
      arguments: { folder: 'folder of Markdown files' },
      options: {},
    },
  },
  texts: {
    knowledge: {
      nothing: 'Nothing is known about that.',
      none: 'There are no such entries.',
      similar: (id: string, percent: number) => `Says nearly the same (${percent}%): ${id}`,
      isSimilar: (id: string, other: string, percent: number) =>
        `${id} says nearly the same as ${other} (${percent}%).`,
      outcomes: {
        added: (id: string, _version: number) => `${id} is added.`,
        changed: (id: string, version: number) => `${id} is changed; this is version ${version}.`,
        unchanged: (id: string, version: number) =>
          `${id} says this already; it stays at version ${version}.`,
        refused: (id: string, _version: number) => `${id} was refused.`,
      },
      kinds: { lesson: 'lesson', decision: 'decision', pattern: 'pattern', document: 'document' },
      states: { current: 'current', superseded: 'superseded', expired: 'expired' },
      derived: 'derived from records',
      fields: {
        id: 'Id',
        kind: 'Kind',
        state: 'State',
        version: 'Version',
        source: 'Source',
        confidence: 'Confidence',
        tags: 'Tags',
        directives: 'Directives',
        tasks: 'Tasks',
        incidents: 'Incidents',
        expires: 'Expires',
        supersededBy: 'Superseded by',
        supersedes: 'Supersedes',
      },
      listHead: ['ID', 'KIND', 'STATE', 'VERSION', 'CHANGED', 'TITLE'],
      historyHead: ['VERSION', 'AT', 'BY', 'CHANGED', 'WHY', 'TITLE'],
      more: (count: number) => `… and ${count} more (--limit)`,
      dropped: (count: number) => `${count} versions between are no longer kept.`,
      imported: ({ added, changed, unchanged }: { added: number; changed: number; unchanged: number }) =>
        `${added} added, ${changed} changed, ${unchanged} unchanged.`,
      draft: (path: string) => `What you wrote is kept in ${path}`,
      forgotten: (id: string, versions: number) => `${id} is forgotten, with ${versions} versions.`,
      exported: (written: number, unchanged: number, folder: string) =>
        `${written} files written, ${unchanged} unchanged in ${folder}.`,
    },
  },
};

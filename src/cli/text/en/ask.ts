/** Questions to the sages, in English. */
export const ask = {
  commands: {
    ask: {
      summary: 'ask a sage: knowledge "words", incident, task DIRECTIVE, rag "words"',
      arguments: { sage: 'knowledge, incident, task or rag', question: 'words, or the id of a directive' },
      options: { limit: 'how many answers', timeout: 'how long to wait for the answer (default 30s)' },
    },
  },
  texts: {
    ask: {
      nothing: 'Nothing is known about that.',
      noIncidents: 'There are no incidents.',
      incidentHead: ['ID', 'SEVERITY', 'COUNT', 'LAST', 'SOURCE', 'TITLE'],
    },
  },
};

import type { ask as en } from '../en/ask.ts';

/** Questions to the sages, in Japanese. */
export const ask: typeof en = {
  commands: {
    ask: {
      summary: '賢者に尋ねる: knowledge "語句"、incident、task 指示ID、rag "語句"',
      arguments: { sage: 'knowledge、incident、task、rag のいずれか', question: '語句、または指示の ID' },
      options: { limit: '回答の件数', timeout: '回答を待つ時間（既定 30s）' },
    },
  },
  texts: {
    ask: {
      nothing: 'それについて知られていることはありません。',
      noIncidents: 'インシデントはありません。',
      incidentHead: ['ID', '重大度', '回数', '最終', '発生元', '題名'],
    },
  },
};

import type { rag as en } from '../en/rag.ts';

/** The index of folders, in Japanese. */
export const rag: typeof en = {
  groups: {
    rag: 'フォルダーの索引付けと文書・コードの検索',
  },
  commands: {
    'rag index': {
      summary: 'フォルダーやリポジトリに索引を付け、変更を監視する',
      arguments: { path: 'フォルダーまたはファイル' },
      options: { wait: 'すべて検索できるようになるまで待つ', timeout: '待つ時間（既定 1h）' },
    },
    'rag search': {
      summary: '文書とコードの該当箇所を、パスと行番号付きで探す',
      arguments: { query: '語句または質問。"完全一致"、path:x、lang:x、-除外、前方一致*' },
      options: {
        limit: '件数（既定 5）',
        below: 'このフォルダーの下のファイルだけ',
        explain: '--json で、得点の根拠も示す',
        timeout: '回答を待つ時間（既定 30s）',
      },
    },
    'rag context': {
      summary: 'モデルに読ませる文脈を、該当箇所から組み立てる',
      arguments: { query: '語句または質問' },
      options: {
        budget: 'トークン数（推定、既定 4000）',
        below: 'このフォルダーの下のファイルだけ',
        timeout: '回答を待つ時間（既定 30s）',
      },
    },
    'rag status': {
      summary: '索引の状態と、除外したものとその理由を表示',
      arguments: {},
      options: {},
    },
    'rag forget': {
      summary: 'フォルダーを索引から外す',
      arguments: { path: '索引を付けたフォルダーまたはファイル' },
      options: {},
    },
  },
  texts: {
    rag: {
      nothing: '見つかりませんでした。',
      noSources: 'まだ何も索引付けされていません: elders rag index PATH',
      indexing: '索引付けはまだ完了していません。',
      methods: { lexical: '語句による検索（lexical）', hybrid: '語句と意味による検索（hybrid）' },
      without: (reason: string) => `埋め込みなし: ${reason}`,
      queued: (path: string) => `${path} の索引付けを始めました: elders rag status`,
      indexed: (path: string, files: number, passages: number, seconds: string) =>
        `${path}: ${files} ファイル、${passages} 箇所（${seconds} 秒）`,
      progress: (path: string, files: number, passages: number) =>
        `${path}: ここまで ${files} ファイル、${passages} 箇所`,
      forgotten: (path: string) => `${path} を索引から外しました。`,
      outside: (path: string) =>
        `${path} はプロジェクトの外にあります。読めるように RAG 賢者を起動し直します。`,
      states: { waiting: '待機', indexing: '索引付け中', ready: '完了', failed: '失敗' },
      head: ['状態', 'ファイル', '箇所', '除外', '監視', 'フォルダー'],
      modified: '（変更あり）',
      vectors: (of) =>
        `意味による検索（${of.model}）: ${of.passages} 箇所のうち ${of.made} 箇所${of.refused === 0 ? '' : `、拒否 ${of.refused} 箇所`}`,
      problems: (count: number) => `注意が必要なファイル ${count} 件:`,
      leftOut: '除外',
      context: (tokens: number, budget: number) => `約 ${tokens} / ${budget} トークン`,
    },
  },
};

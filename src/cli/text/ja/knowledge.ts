import type { knowledge as en } from '../en/knowledge.ts';

const entryOptions = {
  title: '題名（ファイルでは最初の見出し）',
  body: '本文（Markdown）',
  kind: '種類: lesson（既定）、decision、pattern、document',
  tags: 'タグ（コンマ区切り）',
  source: '出典（既定: human）',
  confidence: '確信度: 0〜1、または none',
  directives: '関連する指示の ID（コンマ区切り）',
  tasks: '関連するタスク（指示/タスク、コンマ区切り）',
  incidents: '関連するインシデントの ID（コンマ区切り）',
  expires: '有効期限: now、never、720h のような時間、または日付',
  'superseded-by': '代わりに有効となる項目の ID、または none',
  reason: '理由（版とともに保存）',
};

const entryFilters = {
  kind: 'この種類のみ: lesson、decision、pattern、document',
  tags: 'これらのタグをすべて持つもののみ（コンマ区切り）',
  all: '置き換え済み・期限切れも含める',
};

/** Knowledge, in Japanese. */
export const knowledge: typeof en = {
  groups: {
    knowledge: '学んだこと・決めたことの保存と検索',
  },
  commands: {
    'knowledge add': {
      summary: '学んだことや決めたことを追加',
      arguments: { file: 'Markdown ファイル（フロントマターは任意）。- は標準入力' },
      options: {
        id: 'ID（ファイル名にもなる。既定では題名から作成）',
        ...entryOptions,
      },
    },
    'knowledge edit': {
      summary: '項目を変更（オプション、ファイル、または $EDITOR。以前の版は残る）',
      arguments: { id: '項目の ID', file: 'Markdown ファイル（フロントマターは任意）。- は標準入力' },
      options: {
        ...entryOptions,
      },
    },
    'knowledge show': {
      summary: '項目を関連・出典とともに表示',
      arguments: { id: '項目の ID' },
      options: { 'at-version': 'この版の内容を表示' },
    },
    'knowledge history': {
      summary: '項目の版を表示（いつ、誰が、何を、なぜ変えたか）',
      arguments: { id: '項目の ID' },
      options: {},
    },
    'knowledge list': {
      summary: '項目の一覧（新しい順）',
      arguments: {},
      options: {
        ...entryFilters,
        limit: '件数（既定 50）',
      },
    },
    'knowledge search': {
      summary: '知識を検索（日本語・英語）',
      arguments: { query: '単語または質問。"完全一致"、tag:x、kind:x、-除外、前方一致*' },
      options: {
        ...entryFilters,
        limit: '件数（既定 5）',
        explain: '--json で、得点の根拠も示す',
        timeout: '応答を待つ時間（既定 30s）',
      },
    },
    'knowledge import': {
      summary: 'Markdown フォルダーを取り込む（同じ内容のものは変更しない）',
      arguments: { folder: 'Markdown ファイルのフォルダー' },
      options: { reason: '理由（各版とともに保存）' },
    },
    'knowledge forget': {
      summary: '項目を全ての版とともに削除する',
      arguments: { id: '項目の ID' },
      options: {},
    },
    'knowledge export': {
      summary: '全項目を Markdown ファイルに書き出す（同じ内容のファイルは変更しない）',
      arguments: { folder: 'Markdown ファイルのフォルダー' },
      options: {},
    },
  },
  texts: {
    knowledge: {
      nothing: '該当する知識はありません。',
      none: '該当する項目はありません。',
      similar: (id, percent) => `ほぼ同じ内容（${percent}%）: ${id}`,
      isSimilar: (id, other, percent) => `${id} は ${other} とほぼ同じ内容です（${percent}%）。`,
      outcomes: {
        added: (id) => `${id} を追加しました。`,
        changed: (id, version) => `${id} を変更しました（第 ${version} 版）。`,
        unchanged: (id, version) => `${id} はすでに同じ内容です（第 ${version} 版のまま）。`,
        refused: (id) => `${id} は受け付けられませんでした。`,
      },
      kinds: { lesson: '教訓', decision: '決定', pattern: 'パターン', document: '文書' },
      states: { current: '有効', superseded: '置き換え済み', expired: '期限切れ' },
      derived: '記録から導出',
      fields: {
        id: 'ID',
        kind: '種類',
        state: '状態',
        version: '版',
        source: '出典',
        confidence: '確信度',
        tags: 'タグ',
        directives: '指示',
        tasks: 'タスク',
        incidents: 'インシデント',
        expires: '有効期限',
        supersededBy: '後継',
        supersedes: '旧項目',
      },
      listHead: ['ID', '種類', '状態', '版', '更新', '題名'],
      historyHead: ['版', '日時', '変更者', '変更点', '理由', '題名'],
      more: (count) => `ほか ${count} 件（--limit）`,
      dropped: (count) => `途中の ${count} 版は保存されていません。`,
      imported: ({ added, changed, unchanged }) => `追加 ${added}、変更 ${changed}、変更なし ${unchanged}`,
      draft: (path) => `入力した内容は ${path} に残してあります`,
      forgotten: (id, versions) => `${id} を削除しました（版 ${versions} 件）。`,
      exported: (written, unchanged, folder) => `${folder}: 書き込み ${written} 件、変更なし ${unchanged} 件`,
    },
  },
};

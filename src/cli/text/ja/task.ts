import type { task as en } from '../en/task.ts';

/** Single tasks, in Japanese. */
export const task: typeof en = {
  groups: {
    task: '個別タスクの確認と操作',
  },
  commands: {
    'task list': {
      summary: 'タスクを一覧表示（実行中の指示のものから）',
      arguments: { id: '指示の ID（省略時はすべて）' },
      options: { state: 'この状態のものだけ。例 failed,running', limit: '件数（既定 50）' },
    },
    'task show': {
      summary: 'タスクを試行の履歴と出力の末尾とともに表示',
      arguments: { task: '指示/タスク' },
      options: {},
    },
    'task logs': {
      summary: 'タスクの出力を表示',
      arguments: { task: '指示/タスク' },
      options: { follow: 'タスクが終わるまで続ける', attempt: '試行の番号（既定: 最後）' },
    },
    'task graph': {
      summary: '指示のグラフを出力',
      arguments: { id: '指示の ID' },
      options: { format: 'text、dot（Graphviz）または mermaid（既定 text）' },
    },
    'task add': {
      summary: '実行中の指示にファイルのタスクを追加（既にあるタスクを needs に書ける）',
      arguments: { id: '指示の ID', file: '`tasks` を持つ YAML または JSON。- は標準入力' },
      options: {},
    },
    'task retry': {
      summary: '失敗または取り消したタスクと、そのために省かれたタスクを再実行',
      arguments: { task: '指示/タスク、または全体なら指示' },
      options: {},
    },
    'task cancel': {
      summary: 'タスクを取り消す（コマンドも終了）',
      arguments: { task: '指示/タスク' },
      options: { subtree: 'これを待つものもすべて', reason: '理由（タスクとともに保存）' },
    },
    'task pause': {
      summary: 'タスクを開始させない（実行中のものは続く）',
      arguments: { task: '指示/タスク、または全体なら指示' },
      options: { subtree: 'これを待つものもすべて', reason: '理由（指示とともに保存）' },
    },
    'task clean': {
      summary: 'タスクが残した作業ツリーとブランチの一覧。--yes で安全なものを削除する',
      arguments: { id: '指示の ID（省略時はすべて）' },
      options: { yes: '未コミットの変更をコミットし、作業ツリーとマージ済みのブランチを削除する' },
    },
    'task resume': {
      summary: '一時停止したものを再び開始できるようにする',
      arguments: { task: '指示/タスク、または全体なら指示' },
      options: { subtree: 'これを待つものもすべて' },
    },
  },
  texts: {
    task: {
      progress: '進捗',
      git: 'git',
      tests: 'テスト',
      artifacts: '成果物',
      usage: '使用量',
      none: '該当するタスクはありません。',
      paused: '（一時停止）',
      listHead: ['タスク', '状態', '優先度', '試行', 'サーバント', '時間', 'コマンド'],
      attemptHead: ['試行', '結果', '終了コード', 'サーバント', '時間', '理由'],
      more: '… ほかにもあります（--limit）',
      estimate: '同様のタスクの所要時間',
      added: (count, id) => `指示 ${id} にタスクを ${count} 件追加しました。`,
      controlled: {
        pause: (count, id) => `指示 ${id} のタスク ${count} 件を一時停止しました。`,
        resume: (count, id) => `指示 ${id} のタスク ${count} 件の一時停止を解除しました。`,
        retry: (count, id) => `指示 ${id} のタスク ${count} 件を再実行します。`,
        cancel: (count, id) => `指示 ${id} のタスク ${count} 件を取り消しました。`,
      },
    },
    clean: {
      none: 'タスクが git に残したものはありません。',
      head: ['種類', '場所', '状態', '処理'],
      kinds: { worktree: '作業ツリー', branch: 'ブランチ' },
      uncommitted: (files) => (files === null ? '不明' : `未コミット ${files} ファイル`),
      merged: 'マージ済み',
      unmerged: '未マージ',
      done: { removed: '削除', 'committed and removed': 'コミットして削除', kept: '保持' },
      hint: '--yes を付けると、未コミットの変更はそのブランチにコミットされ、作業ツリーとマージ済みのブランチは削除されます。',
    },
  },
};

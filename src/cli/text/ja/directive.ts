import type { directive as en } from '../en/directive.ts';

/** Directives and their reports, in Japanese. */
export const directive: typeof en = {
  groups: {
    directive: '指示の提出と追跡',
  },
  commands: {
    'directive submit': {
      summary: '指示をグランドエルダーに提出',
      arguments: { file: 'YAML または JSON ファイル。- は標準入力' },
      options: {
        wait: '終わるまで追跡（完了した場合のみ終了コード 0）',
        timeout: '待つ時間の上限。例 10m（指示自体は続行）',
      },
    },
    'directive list': {
      summary: '新しい順に指示を一覧表示',
      arguments: {},
      options: { limit: '件数（既定 50）' },
    },
    'directive show': {
      summary: '指示とそのタスクを表示',
      arguments: { id: '指示の ID' },
      options: {
        wait: '終わるまで追跡（完了した場合のみ終了コード 0）',
        timeout: '待つ時間の上限。例 10m（指示自体は続行）',
      },
    },
    'directive report': {
      summary: '指示の結果を書き出す（時系列、所要時間、再試行、インシデント、変更）',
      arguments: { id: '指示の ID' },
      options: {
        format: 'markdown または html（既定 markdown）',
        output: '書き出すファイル（既定: 標準出力）',
      },
    },
    'directive cancel': {
      summary: '指示を取り消す（実行中のコマンドも終了）',
      arguments: { id: '指示の ID' },
      options: { reason: '理由（指示とともに保存）' },
    },
  },
  texts: {
    directive: {
      submitted: (id) => `指示 ${id} を提出しました。`,
      accepted: (id, state) => `指示 ${id}: ${state}`,
      follow: (id) => `経過を見るには: elders directive show ${id}`,
      none: '指示はありません。',
      listHead: ['ID', '状態', 'タスク', '提出', '題名'],
      taskHead: ['タスク', '状態', '試行', '終了コード', 'サーバント', '時間'],
      title: '題名',
      goal: '目標',
      workspace: '作業フォルダー',
      state: '状態',
      halted: '緊急停止',
      reason: '理由',
      knownBefore: '既知の事柄',
      approval: '承認',
      waits: (task, why) => `${task} は待機中: ${why}`,
      outputOf: (task, path) => `${task} の最後の出力（${path}）:`,
      cancelled: (id, state) => `指示 ${id}: ${state}`,
      ended: (id, state, counts, time) => `指示 ${id} ${state}: ${counts}、所要 ${time}`,
      forecast: (p50, p90) => `残り約 ${p50}（p90 ${p90}）`,
      more: (count) => `… 他 ${count} 件`,
      reconnecting: 'グランドエルダーが不在です。復帰を待っています。',
    },
    report: {
      submitted: '提出',
      ended: '終了',
      duration: '所要時間',
      tasks: 'タスク',
      attempts: '試行回数',
      timeline: '時系列',
      retries: '複数回試行したタスク',
      incidents: 'インシデント',
      commits: 'この間の作業フォルダーのコミット',
      noCommits: '（なし）',
      noOutput: '（出力なし）',
      uncommitted: '現在コミットされていない変更',
      testHead: ['テスト', 'メッセージ'],
      failedTests: (id) => `${id} の失敗したテスト`,
      outputOf: (id, reason) => `失敗: ${id}${reason === '' ? '' : `: ${reason}`}`,
      written: (at) => `${at} に作成。`,
    },
  },
};

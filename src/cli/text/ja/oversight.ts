import type { oversight as en } from '../en/oversight.ts';

/** Approvals, halts, rights and the audit log, in Japanese. */
export const oversight: typeof en = {
  groups: {
    emergency: 'すべて、または 1 つの指示を直ちに停止',
    auth: '誰が何をできるか',
    audit: '拒否・承認・変更の記録',
  },
  commands: {
    'emergency halt': {
      summary: '実行中のコマンドを直ちに終了し、再開するまでタスクを始めない',
      arguments: { id: '指示の ID（省略時はすべて）' },
      options: { reason: '理由。停止の記録に残る' },
    },
    'emergency resume': {
      summary: '緊急停止を解除。停止したタスクは新しい試行として再開',
      arguments: { id: '停止した指示の ID（省略時は全体の停止）' },
      options: { reason: '理由。命令とともに全エルダーへ送られる' },
    },
    approvals: {
      summary: '承認待ちの一覧を表示する',
      arguments: {},
      options: { all: '決定済みのものも表示' },
    },
    approve: {
      summary: '承認待ちのものを一度だけ実行させる',
      arguments: { id: '承認またはその指示の ID' },
      options: { reason: '理由（承認とともに保存）', digest: '待っているのがこの内容の場合だけ承認' },
    },
    deny: {
      summary: '承認待ちのものを実行せずに終わらせる',
      arguments: { id: '承認またはその指示の ID' },
      options: { reason: '理由（指示とともに保存）', digest: '待っているのがこの内容の場合だけ拒否' },
    },
    'auth can-i': {
      summary: 'あるアクションを送れるかどうかと理由を表示する（終了コード 0 は可、4 は不可）',
      arguments: { action: 'sage.task.create など' },
      options: {
        as: '誰として: エルダーの名前、gateway、manager、human',
        to: '宛先（既定: 誰でも）',
        'on-behalf-of': '誰の依頼によるか（最初の依頼者から順にカンマ区切り）',
      },
    },
    'auth matrix': {
      summary: 'すべての権限を表示する（ここにないものは拒否）',
      arguments: {},
      options: {},
    },
    'audit list': {
      summary: '監査ログを表示する（新しいものが最後）',
      arguments: {},
      options: {
        since: 'これより新しいものだけ: 30m、2h、または日時',
        kind: 'denial、approval、emergency、certificate、configuration、audit のいずれか',
        limit: '新しいものから何件（既定 100）',
      },
    },
    'audit verify': {
      summary: '監査ログの行が変更・削除・移動されていないか検査する（無事なら終了コード 0）',
      arguments: {},
      options: {},
    },
  },
  texts: {
    emergency: {
      halted: (id: string | null, told: number) =>
        `${id === null ? 'すべて' : `指示 ${id}`}を緊急停止しました。命令を ${told} プロセスに送りました。`,
      resumed: (id: string | null, told: number) =>
        `${id === null ? '全体' : `指示 ${id}`}の緊急停止を解除しました。命令を ${told} プロセスに送りました。`,
    },
    approval: {
      none: '承認待ちはありません。',
      head: ['ID', '状態', 'リスク', '指示', '期限', '内容と理由'],
      approved: (id, directive) => `承認 ${id} を与えました。指示 ${directive} を実行します。`,
      denied: (id, directive) => `承認 ${id} を拒否しました。指示 ${directive} は却下されました。`,
      waits: (id, reasons) =>
        `承認を待っています（${reasons}）: elders approve ${id} または elders deny ${id}`,
    },
    auth: {
      yes: (targets) => `はい: ${targets} へ`,
      no: 'いいえ',
      everybody: '全員',
      holderHead: ['名前', '権限', '自らの職務'],
      rightHead: ['送信元', '宛先', 'アクション', '根拠の権限', '連鎖'],
      note: '*: 依頼の連鎖に含まれる全員に権限が必要です。servant_1 はすべてのサーバントを表します。ここにないものは拒否されます。',
    },
    audit: {
      none: '該当する監査記録はありません。',
      head: ['番号', '時刻', '内容', '対象', 'アクション', '記録者', '理由'],
      ok: (records, seq, anchored) =>
        `${records} 件（最後は ${seq} 番）。すべて書かれたままです${anchored ? '。末尾の欠落もありません' : ''}。`,
      bad: (count) => `監査ログが変更されています: ${count} 件。`,
      end: 'ログの末尾',
      noAnchor: 'ツリーが動いていないため、末尾を Redis と照合していません。末尾の切り捨ては検出できません。',
    },
  },
};

import type { message as en } from '../en/message.ts';

/** Single messages and dead letters, in Japanese. */
export const message: typeof en = {
  groups: {
    msg: '個別メッセージの送信と確認',
    dlq: '処理を断念したメッセージ（デッドレター）',
  },
  commands: {
    'msg send': {
      summary: 'ゲートウェイ経由でメッセージを 1 つ送り、回答を表示',
      arguments: { target: 'エルダーの名前', action: 'アクション。例 elder.ping' },
      options: {
        payload: 'JSON オブジェクト。- は標準入力（既定 {}）',
        priority: '1〜10、10 が最優先（既定 5）',
        timeout: '回答を待つ時間（既定 30s）',
      },
    },
    'msg show': {
      summary: 'メッセージ 1 つとその結果を表示',
      arguments: { id: 'メッセージの ID' },
      options: {},
    },
    'dlq list': {
      summary: '処理を断念したメッセージ（デッドレター）を新しい順に一覧表示',
      arguments: {},
      options: { elder: 'このエルダーのものだけ', limit: '件数（既定 50）' },
    },
    'dlq show': {
      summary: 'デッドレターとそのエラー履歴をすべて表示',
      arguments: { id: 'メッセージの ID' },
      options: {},
    },
    'dlq replay': {
      summary: 'デッドレターをもう一度処理させる。実行されたときだけ終了コード 0',
      arguments: { id: 'メッセージの ID' },
      options: { timeout: '結果を待つ時間（既定 30s）' },
    },
    'dlq discard': {
      summary: 'デッドレターを破棄。誰がいつ破棄したかは記録に残る',
      arguments: { id: 'メッセージの ID' },
      options: { timeout: '結果を待つ時間（既定 30s）' },
    },
  },
  texts: {
    dlq: {
      none: 'デッドレターはありません。',
      head: ['断念した時刻', 'ID', '送信元 → 宛先', 'アクション', '試行', '最後のエラー'],
      more: (count: number) => `… ほか ${count} 件（--limit）`,
      discarded: (id: string) => `デッドレター ${id} を破棄しました。`,
      acted: (id: string, elder: string) => `${elder} が ${id} を実行しました。`,
    },
  },
};

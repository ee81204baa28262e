import type { processes as en } from '../en/processes.ts';

/** Single processes: logs, health and certificates, in Japanese. */
export const processes: typeof en = {
  groups: {
    cert: 'プロセスの証明書と、それを発行する認証局',
  },
  commands: {
    logs: {
      summary: 'プロセスのログを時刻順に表示',
      arguments: { names: 'プロセス名。例 task_sage、manager（既定: 全て）' },
      options: {
        follow: '新しい行を表示し続ける',
        lines: '末尾からの行数（既定 200）',
        level: '最低レベル: debug、info、warn、error',
      },
    },
    health: {
      summary: '1 つのプロセスが生きていて応答できるかを調べる。可なら終了コード 0、否なら 1',
      arguments: { name: 'プロセス名（task_sage、manager、redis など）' },
      options: {
        live: '生存だけを調べる',
        ready: '生存と応答可能を調べる（既定）',
        timeout: '応答を待つ時間（既定 10s）',
      },
    },
    'cert list': {
      summary: '発行した証明書をシリアル番号と状態とともに一覧',
      arguments: {},
      options: {},
    },
    'cert rotate': {
      summary: '再起動せずに、プロセスの鍵と証明書を新しくする、または認証局を交代する',
      arguments: { name: 'プロセス名（task_sage、manager、redis など）' },
      options: {
        all: 'すべてのプロセス',
        ca: '認証局そのものを交代する。全プロセスが新しい証明書を得るまで両方を信頼する',
        timeout: '完了を待つ時間（既定 2m。過ぎても処理は続く）',
      },
    },
    'cert revoke': {
      summary: 'プロセスの証明書をすべて直ちに失効させ、新しい資格情報の後継を起動する',
      arguments: { name: 'プロセス名（servant_1、manager、redis など）' },
      options: { 'no-restart': '後継を起動しない。ツリーを起動し直すまで停止したまま' },
    },
  },
  texts: {
    logs: { none: 'まだログがありません。' },
    health: { ready: 'は準備完了です', live: 'は生きていますが準備ができていません', dead: 'は応答しません' },
    cert: {
      head: ['名前', '状態', 'シリアル番号', '発行', '期限', '主体名', ''],
      states: { current: '有効', superseded: '更新済み', revoked: '失効', expired: '期限切れ' },
      rotations: {
        none: '',
        introduced: '（新しいルートを周知中。署名はまだこのルート）',
        switched: '（前のルートもまだ信頼中）',
      },
      root: (fingerprint: string, rotation: string) => `ルート ${fingerprint}…${rotation}`,
      renewed: (names: string) => `新しい証明書: ${names}`,
      newRoot: (fingerprint: string) => `信頼するルートは ${fingerprint}… だけになりました。`,
      revoked: (name: string, count: number, peers: number, ms: number) =>
        `${name} の証明書 ${count} 件を失効させました。${ms} ミリ秒後に ${peers} プロセスが拒否しています。`,
      pending: (names: string) => `まだ確認できていないプロセス: ${names}`,
      restarted: (name: string) => `${name} の後継が新しい資格情報を受け取ります。`,
      stays: (name: string) => `${name} はツリーを起動し直すまで起動しません。`,
    },
  },
};

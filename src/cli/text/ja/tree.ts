import type { tree as en } from '../en/tree.ts';

/** Starting, stopping, watching and changing a tree, in Japanese. */
export const tree: typeof en = {
  commands: {
    up: {
      summary: 'ツリーを起動（Ctrl-C で順次停止、もう一度で強制終了）',
      arguments: {},
      options: {
        detach: 'マネージャーをバックグラウンドで実行',
        wait: '--detach と併用: 全エルダーの準備完了まで待つ',
        'port-base': 'グランドエルダーのポート。他のポートはここから数える',
        servants: 'タスクを実行するサーバントの数',
        'allow-insecure-redis': '他者が入り込める Redis でも起動する（status に毎回表示されます）',
        'events-fd': '',
      },
    },
    down: {
      summary: 'ツリーを順次停止し、全プロセスの終了を待つ',
      arguments: {},
      options: { force: '待たずに強制終了' },
    },
    status: {
      summary: 'ツリーの全プロセスを表示（全て準備完了でなければ終了コード 3）',
      arguments: {},
      options: {},
    },
    describe: {
      summary: 'エルダー 1 つの詳細（履歴、証明書、権限、エッジ、エラー）を表示',
      arguments: { name: 'エルダーの名前' },
      options: {},
    },
    top: {
      summary: '全プロセスの CPU、メモリ、メッセージ流量を表示（端末では Ctrl-C まで更新、それ以外は 1 回）',
      arguments: {},
      options: {
        interval: '計測の間隔（既定 2s）',
        count: '表示する表または JSON 行の数',
      },
    },
    restart: {
      summary: '処理を続けたまま、エルダーのプロセスを順に新しいものへ入れ替える',
      arguments: { names: 'エルダーの名前' },
      options: { all: 'すべてのエルダー（前のものの準備ができてから次へ）' },
    },
    reload: {
      summary: '変更した elders.yaml を反映し、関係するエルダーだけを再起動する',
      arguments: {},
      options: {},
    },
    scale: {
      summary: 'サーバントの数を表示する。または、処理を続けたまま数を変える',
      arguments: { counts: 'servant=N または グループ=N。N の代わりに auto とすると自動に任せる' },
      options: { detach: '変更の完了を待たない' },
    },
    export: {
      summary: '起動時にツリーを動かすための systemd または supervisord の設定を書き出す',
      arguments: { system: 'systemd または supervisord' },
      options: {
        output: 'このフォルダーにファイルを書き、そのパスを表示',
        user: 'systemd: システムではなく自分のユーザーのユニット',
      },
    },
  },
  texts: {
    up: {
      starting: (name) => `${name} を起動中`,
      adopted: (name) => `${name} を引き継ぎました`,
      ready: (name) => `${name} の準備ができました`,
      stopping: (name) => `${name} を停止中`,
      stopped: (name) => `${name} が停止しました`,
      failed: (name, reason) => `${name} が失敗しました: ${reason}`,
      dataLost: (reason) => `Redis がデータを失いました: ${reason}`,
      servantDraining: (name) => `${name} は新しいタスクを受け取らず、いまのタスクを終えてから停止します。`,
      treeReady: 'ツリーの準備ができました。',
      treeStopped: 'ツリーが停止しました。',
      draining: '順次停止しています。もう一度 Ctrl-C を押すと強制終了します。',
      killing: '強制終了しています。',
      background: (pid) => `マネージャーはバックグラウンドで動いています（pid ${pid}）。`,
      goesOn: 'マネージャーはバックグラウンドで動き続けます。',
    },
    down: {
      none: '何も動いていません。',
      orphans: (count) =>
        `マネージャーは動いていませんが、このツリーのプロセスが ${count} 個残っています。停止します。`,
      done: '停止しました。このツリーのプロセスは残っていません。',
    },
    status: {
      tree: (tree, state) => `ツリー ${tree}: ${state}`,
      noTree: 'ここではまだツリーが起動されていません。',
      manager: (pid, since) => `マネージャー pid ${pid}、稼働 ${since}`,
      noManager: 'マネージャーなし',
      redis: (where, state, appendfsync) => `redis ${where} ${state}、appendfsync ${appendfsync}`,
      insecureRedis: (reason) => `安全でない Redis: ${reason}`,
      sandbox: (sandbox) => `サンドボックス ${sandbox}`,
      isolation: (kind, without) =>
        `隔離 ${kind}${without.length === 0 ? '' : `（なし: ${without.join('、')}）`}`,
      servants: (pool, count, draining, bounds) =>
        `${pool} ${count}${draining === 0 ? '' : `（ほかに停止待ち ${draining}）`}${bounds === null ? '' : `、自動 ${bounds}`}`,
      spares: (ready, of, without) =>
        `予備 ${ready}/${of} 待機中${without.length === 0 ? '' : `（なし: ${without.join('、')}）`}`,
      aliveWithoutManager: '記録上は生存。マネージャーがいないため準備状態は不明',
      head: ['名前', '状態', 'PID', 'ポート', '世代', '再起動', '稼働', ''],
    },
    describe: {
      state: '状態',
      process: 'プロセス',
      pidOf: (pid: number, incarnation: number, age: string) =>
        `pid ${pid}、世代 ${incarnation}、稼働 ${age}`,
      noProcess: 'なし',
      usage: '使用量',
      usageOf: (memory: string, limit: string, cpu: string) => `${memory} / 上限 ${limit}、CPU 時間 ${cpu}`,
      supervision: '監視',
      supervisionOf: (restart: string, branch: string, strategy: string, shutdown: string) =>
        `${restart}、枝 ${branch}（${strategy}）、停止猶予 ${shutdown}`,
      restarts: '再起動',
      restartsOf: (restarts: number, crashes: number, intensity: number, period: string) =>
        `${restarts} 回（${period} 以内のクラッシュ ${crashes} 回、${intensity} 回を超えると断念）`,
      certificate: '証明書',
      certificateOf: (serial: string, expires: string) => `${serial}、期限 ${expires}`,
      noCertificate: 'なし',
      isolation: '分離',
      permissions: '権限',
      sends: '送信可能',
      edges: ['エッジ', 'レーン', '待ち', '処理済み', 'Redis 内'],
      unused: (count: number) => `まだ使われていないエッジ: ${count}`,
      errors: '最近のエラー:',
      noErrors: 'エラーはありません。',
    },
    top: {
      head: ['プロセス', '状態', 'pid', 'CPU', 'メモリ', '処理/秒', '送信/秒', '待ち', '再起動'],
      title: (state: string, span: string) => `${state} · 直近 ${span}`,
    },
    restart: {
      done: (names: string) => `再起動しました: ${names}。`,
      everything: 'すべてのエルダー',
      nothing: '再起動するエルダーの名前か --all を指定してください',
      both: '名前と --all は同時に指定できません',
    },
    reload: {
      nothing: '変更はありません。',
      done: (settings: string) => `反映しました: ${settings}。`,
    },
    scale: {
      malformed: (given) => `${given}: 名前=N または 名前=auto の形で指定してください（例: servant=4）`,
      twice: (pool) => `${pool} が 2 回指定されています`,
      change: (from, to, by, reason) => `${from} → ${to}（${by}${reason === null ? '' : `: ${reason}`}）`,
      head: [
        'サーバント',
        '数',
        '準備完了',
        '実行中',
        '停止待ち',
        '待ちタスク',
        '範囲',
        '決め方',
        '最後の変更',
      ],
      ago: (span) => `${span} 前`,
      automatic: '自動',
      fixed: '固定',
      none: '-',
    },
    export: {
      unknown: (system, known) => `init システム "${system}" はありません。使えるもの: ${known}`,
      userOfSystemd: '--user は systemd でのみ使えます',
      withoutNotify:
        'PATH に systemd-notify がありません。ユニットは Type=exec でウォッチドッグなしになり、systemd はすぐに起動済みとみなします。',
    },
  },
};

import type { Catalog } from './en.ts';

/** Everything that `elders` says to people, in Japanese. */
export const ja: Catalog = {
  help: {
    usage: '使い方:',
    arguments: '引数:',
    options: 'オプション:',
    globalOptions: '共通オプション:',
    commands: 'コマンド:',
    optionsWord: '[オプション]',
    commandWord: '[コマンド]',
    showHelp: 'このヘルプを表示',
    showVersion: 'バージョンを表示',
    helpCommand: 'コマンドのヘルプを表示',
    program: 'AI 開発エージェントを、監視された本物のプロセス階層として動かします。',
    exitCodes:
      '終了コード: 0 成功、1 失敗、2 使い方の誤り、3 停止中または準備未完了、4 拒否、5 時間切れ、69 Redis 接続不可、130 中断',
  },
  globals: {
    json: '標準出力に JSON 文書を 1 つ出力（ストリームは JSON Lines）',
    project: 'プロジェクトのフォルダー（指定しなければ elders.yaml を上位へ探す）',
    lang: '表示言語: en または ja',
    'no-color': '色を付けない（環境変数 NO_COLOR でも同じ）',
  },
  groups: {
    directive: '指示の提出と追跡',
    msg: '個別メッセージの送信と確認',
    dlq: '処理を断念したメッセージ（デッドレター）',
    emergency: 'すべて、または 1 つの指示を直ちに停止',
    config: '設定の確認',
  },
  commands: {
    up: {
      summary: 'ツリーを起動（Ctrl-C で順次停止、もう一度で強制終了）',
      arguments: {},
      options: {
        detach: 'マネージャーをバックグラウンドで実行',
        wait: '--detach と併用: 全エルダーの準備完了まで待つ',
        'port-base': 'グランドエルダーのポート。他のポートはここから数える',
        servants: 'タスクを実行するサーバントの数',
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
    'directive cancel': {
      summary: '指示を取り消す（実行中のコマンドも終了）',
      arguments: { id: '指示の ID' },
      options: { reason: '理由（指示とともに保存）' },
    },
    ask: {
      summary: '賢者に尋ねる: knowledge "語句"、incident、task 指示ID、rag "語句"',
      arguments: { sage: 'knowledge、incident、task、rag のいずれか', question: '語句、または指示の ID' },
      options: { limit: '回答の件数', timeout: '回答を待つ時間（既定 30s）' },
    },
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
    logs: {
      summary: 'プロセスのログを時刻順に表示',
      arguments: { names: 'プロセス名。例 task_sage、manager（既定: 全て）' },
      options: {
        follow: '新しい行を表示し続ける',
        lines: '末尾からの行数（既定 200）',
        level: '最低レベル: debug、info、warn、error',
      },
    },
    trace: {
      summary: '指示に関わる全メッセージを因果順に表示',
      arguments: { id: '指示の ID（任意の correlation id）' },
      options: {},
    },
    doctor: { summary: 'このマシンに必要なものを点検', arguments: {}, options: {} },
    'config print': {
      summary: '有効な設定と、各値の出どころを表示',
      arguments: {},
      options: {},
    },
  },
  up: {
    starting: (name) => `${name} を起動中`,
    adopted: (name) => `${name} を引き継ぎました`,
    ready: (name) => `${name} の準備ができました`,
    stopping: (name) => `${name} を停止中`,
    stopped: (name) => `${name} が停止しました`,
    failed: (name, reason) => `${name} が失敗しました: ${reason}`,
    dataLost: (reason) => `Redis がデータを失いました: ${reason}`,
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
    sandbox: (sandbox) => `サンドボックス ${sandbox}`,
    aliveWithoutManager: '記録上は生存。マネージャーがいないため準備状態は不明',
    head: ['名前', '状態', 'PID', 'ポート', '世代', '再起動', '稼働', ''],
  },
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
    outputOf: (task, path) => `${task} の最後の出力（${path}）:`,
    cancelled: (id, state) => `指示 ${id}: ${state}`,
    ended: (id, state, counts, time) => `指示 ${id} ${state}: ${counts}、所要 ${time}`,
    more: (count) => `… 他 ${count} 件`,
    reconnecting: 'グランドエルダーが不在です。復帰を待っています。',
  },
  ask: {
    nothing: 'それについて知られていることはありません。',
    noIncidents: 'インシデントはありません。',
    incidentHead: ['ID', '重大度', '回数', '最終', '発生元', '題名'],
  },
  trace: { head: ['送信', '配達', '実行', '状態', 'ID', 'メッセージ'] },
  dlq: {
    none: 'デッドレターはありません。',
    head: ['断念した時刻', 'ID', '送信元 → 宛先', 'アクション', '試行', '最後のエラー'],
    more: (count: number) => `… ほか ${count} 件（--limit）`,
    discarded: (id: string) => `デッドレター ${id} を破棄しました。`,
    acted: (id: string, elder: string) => `${elder} が ${id} を実行しました。`,
  },
  emergency: {
    halted: (id: string | null, told: number) =>
      `${id === null ? 'すべて' : `指示 ${id}`}を緊急停止しました。命令を ${told} プロセスに送りました。`,
    resumed: (id: string | null, told: number) =>
      `${id === null ? '全体' : `指示 ${id}`}の緊急停止を解除しました。命令を ${told} プロセスに送りました。`,
  },
  logs: { none: 'まだログがありません。' },
  doctor: {
    ok: '正常',
    warn: '警告',
    fail: '失敗',
    checks: {
      node: 'Node.js',
      redis: 'redis-server',
      sandbox: 'bubblewrap',
      config: '設定',
      folder: '状態フォルダー',
      ports: 'ポート',
      fsync: 'ディスク',
      clock: '時計',
    },
    hints: {
      node: 'Node.js 24 以降をインストールするか、ELDERS_NODE で指定してください。',
      redis:
        'インストールするか（Debian/Ubuntu: apt-get install redis-server、macOS: brew install redis）、elders.yaml で自分の Redis を指定してください。',
      sandbox:
        'bubblewrap をインストールして非特権ユーザー名前空間を許可するか、危険を承知のうえで elders.yaml に `sandbox: none` を設定してください。',
      config: '示された箇所を直してください。',
      folder: '他のユーザーの権限を外してください: chmod -R go= .elders',
      ports: 'そのプログラムを止めるか、--port-base N でツリーを移してください。',
      fsync:
        'ディスクが遅いと、すべての確定が遅くなります。elders.yaml の `appendfsync` を参照してください。',
      clock: 'このマシンの時計を合わせてください。',
    },
  },
};

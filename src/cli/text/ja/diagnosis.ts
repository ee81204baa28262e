import type { diagnosis as en } from '../en/diagnosis.ts';

/** Traces, the machine and the configuration, in Japanese. */
export const diagnosis: typeof en = {
  groups: {
    config: '設定の確認',
  },
  commands: {
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
  texts: {
    trace: { head: ['送信', '配達', '実行', '状態', 'ID', 'メッセージ'] },
    doctor: {
      ok: '正常',
      warn: '警告',
      fail: '失敗',
      checks: {
        node: 'Node.js',
        redis: 'redis-server',
        git: 'Git',
        sandbox: 'bubblewrap',
        isolation: 'エルダーの隔離',
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
        git: 'タスクに worktree (`git: worktree`) を使う場合は、Git 2.38 以降をインストールしてください。',
        sandbox:
          'bubblewrap をインストールして非特権ユーザー名前空間を許可するか、危険を承知のうえで elders.yaml に `sandbox: none` を設定してください。',
        isolation:
          'bubblewrap のあるホストで、一般ユーザーとしてツリーを動かしてください。隔離がないと、エルダーは互いの秘密を読めます。',
        config: '示された箇所を直してください。',
        folder: '他のユーザーの権限を外してください: chmod -R go= .elders',
        ports: 'そのプログラムを止めるか、--port-base N でツリーを移してください。',
        fsync:
          'ディスクが遅いと、すべての確定が遅くなります。elders.yaml の `appendfsync` を参照してください。',
        clock: 'このマシンの時計を合わせてください。',
      },
    },
  },
};

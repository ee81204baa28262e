import type { help as en } from '../en/help.ts';

/** The frame of every help, in Japanese. */
export const help: typeof en = {
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
      '終了コード: 0 成功、1 失敗、2 使い方の誤り、3 停止中または準備未完了、4 拒否、5 時間切れ、6 承認待ち、69 Redis 接続不可、130 中断',
  },
  globals: {
    json: '標準出力に JSON 文書を 1 つ出力（ストリームは JSON Lines）',
    project: 'プロジェクトのフォルダー（指定しなければ elders.yaml を上位へ探す）',
    lang: '表示言語: en または ja',
    'no-color': '色を付けない（環境変数 NO_COLOR でも同じ）',
  },
};

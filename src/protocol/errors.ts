import type { ExitName } from './exit-codes.ts';

interface ErrorSpec {
  readonly exit: ExitName;
  /** Whether the same request, unchanged, may succeed later. */
  readonly canRetry: boolean;
  /** What failed. */
  readonly en: string;
  readonly ja: string;
  /** What to do next. */
  readonly next: { readonly en: string; readonly ja: string };
}

/** Every error that a person or another process can meet; the wire, exit codes and `docs/reference/errors.md` come from here. */
export const errorTable = {
  usage: {
    exit: 'usage',
    canRetry: false,
    en: 'The command line is not understood.',
    ja: 'コマンドラインを解釈できません。',
    next: { en: 'See `elders help COMMAND`.', ja: '`elders help コマンド` を参照してください。' },
  },
  config_invalid: {
    exit: 'usage',
    canRetry: false,
    en: 'The configuration is not valid; nothing was changed.',
    ja: '設定が正しくありません。何も変更していません。',
    next: {
      en: 'Correct the place named, then check with `elders config print`.',
      ja: '示された箇所を直し、`elders config print` で確認してください。',
    },
  },
  directive_invalid: {
    exit: 'usage',
    canRetry: false,
    en: 'The directive is not valid; nothing was started.',
    ja: '指示書が正しくありません。何も開始していません。',
    next: {
      en: 'Correct the places named and submit it again.',
      ja: '示された箇所を直して、もう一度提出してください。',
    },
  },
  directive_rejected: {
    exit: 'failed',
    canRetry: false,
    en: 'The grand elder rejected the directive; nothing was started.',
    ja: 'グランドエルダーが指示を却下しました。何も開始していません。',
    next: {
      en: 'Read the reason, change the directive, submit it again.',
      ja: '理由を確認し、指示を直して再提出してください。',
    },
  },
  directive_failed: {
    exit: 'failed',
    canRetry: false,
    en: 'The directive did not complete.',
    ja: '指示は完了しませんでした。',
    next: {
      en: 'See the output of the failed tasks with `elders directive show ID`.',
      ja: '失敗したタスクの出力を `elders directive show ID` で確認してください。',
    },
  },
  not_found: {
    exit: 'failed',
    canRetry: false,
    en: 'There is nothing by that name.',
    ja: '指定されたものは見つかりません。',
    next: { en: 'Check the name or id.', ja: '名前または ID を確認してください。' },
  },
  not_implemented: {
    exit: 'failed',
    canRetry: false,
    en: 'This is not built yet; nothing was done.',
    ja: 'この機能はまだ実装されていません。何も実行していません。',
    next: { en: 'See the open issues of the project.', ja: 'プロジェクトの課題一覧を参照してください。' },
  },
  not_running: {
    exit: 'not_running',
    canRetry: true,
    en: 'The tree is not running, or the process that answers this is not.',
    ja: 'ツリー、または応答するプロセスが動いていません。',
    next: { en: 'Start it with `elders up -d --wait`.', ja: '`elders up -d --wait` で起動してください。' },
  },
  not_healthy: {
    exit: 'not_running',
    canRetry: true,
    en: 'The tree runs but is not ready.',
    ja: 'ツリーは動いていますが、準備ができていません。',
    next: {
      en: 'See `elders status` and `elders logs`.',
      ja: '`elders status` と `elders logs` を確認してください。',
    },
  },
  already_running: {
    exit: 'not_running',
    canRetry: false,
    en: 'Another manager runs this tree; it was left alone.',
    ja: 'このツリーは別のマネージャーが動かしています。そのままにしました。',
    next: {
      en: 'Use `elders status`, or `elders down` first.',
      ja: '`elders status` で確認するか、先に `elders down` を実行してください。',
    },
  },
  port_taken: {
    exit: 'failed',
    canRetry: true,
    en: 'A port that the tree needs is taken.',
    ja: 'ツリーが使うポートはすでに使われています。',
    next: {
      en: 'End that program, or move the tree with `--port-base N`.',
      ja: 'そのプログラムを止めるか、`--port-base N` でツリーを移してください。',
    },
  },
  missing_program: {
    exit: 'failed',
    canRetry: false,
    en: 'A program that is needed is not installed.',
    ja: '必要なプログラムがインストールされていません。',
    next: {
      en: 'Install it (Debian/Ubuntu: `apt-get install redis-server bubblewrap`; macOS: `brew install redis`).',
      ja: 'インストールしてください（Debian/Ubuntu: `apt-get install redis-server bubblewrap`、macOS: `brew install redis`）。',
    },
  },
  start_failed: {
    exit: 'failed',
    canRetry: true,
    en: 'A process of the tree did not become ready.',
    ja: 'ツリーのプロセスが準備完了になりませんでした。',
    next: { en: 'See `elders logs NAME`.', ja: '`elders logs 名前` を確認してください。' },
  },
  denied: {
    exit: 'denied',
    canRetry: false,
    en: 'This is not permitted; nothing was done.',
    ja: '許可されていません。何も実行していません。',
    next: {
      en: 'See docs/reference/permissions.md for who may do what.',
      ja: '権限は docs/reference/permissions.md を参照してください。',
    },
  },
  approval_required: {
    exit: 'approval_required',
    canRetry: false,
    en: 'This waits for the approval of a human; nothing was carried out yet.',
    ja: '人間の承認を待っています。まだ何も実行していません。',
    next: {
      en: 'See `elders approvals`, then `elders approve ID` or `elders deny ID`.',
      ja: '`elders approvals` で確認し、`elders approve ID` または `elders deny ID` を実行してください。',
    },
  },
  timed_out: {
    exit: 'timed_out',
    canRetry: true,
    en: 'No answer came in time; what was asked may still happen.',
    ja: '時間内に応答がありませんでした。依頼した処理は後で実行されることがあります。',
    next: {
      en: 'Look at `elders status`; asking again is safe.',
      ja: '`elders status` を確認してください。もう一度依頼しても安全です。',
    },
  },
  expired: {
    exit: 'timed_out',
    canRetry: true,
    en: 'The message was not handled before it expired; it was not acted on.',
    ja: 'メッセージは期限までに処理されませんでした。実行されていません。',
    next: { en: 'Send it again.', ja: 'もう一度送ってください。' },
  },
  redis_unreachable: {
    exit: 'redis_unreachable',
    canRetry: true,
    en: 'Redis cannot be reached; what was acknowledged before is kept.',
    ja: 'Redis に接続できません。確認済みのものは保持されています。',
    next: {
      en: 'See `elders logs redis`; processes go on by themselves once it is back.',
      ja: '`elders logs redis` を確認してください。復旧すれば自動的に再開します。',
    },
  },
  redis_refused: {
    exit: 'failed',
    canRetry: false,
    en: 'Redis answered with an error.',
    ja: 'Redis がエラーを返しました。',
    next: { en: 'See the reason given.', ja: '示された理由を確認してください。' },
  },
  fenced: {
    exit: 'failed',
    canRetry: false,
    en: 'A newer incarnation of this process has taken over; this one may not write any more.',
    ja: '新しい世代のプロセスが引き継ぎました。この世代はもう書き込めません。',
    next: { en: 'Nothing: the successor goes on.', ja: '対応は不要です。後継が処理を続けます。' },
  },
  data_lost: {
    exit: 'failed',
    canRetry: false,
    en: 'Redis has lost something that it had acknowledged.',
    ja: 'Redis が確認済みのデータを失いました。',
    next: {
      en: 'Find out why (`elders logs redis`; flushed, restored, failed over, `everysec`) and submit again what is missing.',
      ja: '原因（`elders logs redis`、全消去、復元、フェイルオーバー、`everysec`）を調べ、失われたものを再提出してください。',
    },
  },
  edge_full: {
    exit: 'failed',
    canRetry: true,
    en: 'The receiver is behind and its edge is full; nothing was sent.',
    ja: '受信側が遅れており、経路が満杯です。何も送っていません。',
    next: { en: 'Try again later.', ja: 'しばらくして再試行してください。' },
  },
  malformed: {
    exit: 'failed',
    canRetry: false,
    en: 'The message does not fit its schema; it was not acted on.',
    ja: 'メッセージがスキーマに合いません。実行していません。',
    next: {
      en: 'See docs/reference/messages.md.',
      ja: 'docs/reference/messages.md を参照してください。',
    },
  },
  too_large: {
    exit: 'failed',
    canRetry: false,
    en: 'This is larger than a message may be; nothing was sent.',
    ja: 'メッセージの上限を超えています。何も送っていません。',
    next: { en: 'Split it.', ja: '分割してください。' },
  },
  rate_limited: {
    exit: 'failed',
    canRetry: true,
    en: 'Too many requests in too short a time; this one was not looked at.',
    ja: '短時間に要求が多すぎます。この要求は処理していません。',
    next: { en: 'Try again in a moment.', ja: '少し待ってから再試行してください。' },
  },
  conflict: {
    exit: 'failed',
    canRetry: false,
    en: 'This cannot be done in the present state; nothing was changed.',
    ja: '現在の状態では実行できません。何も変更していません。',
    next: { en: 'See the state named.', ja: '示された状態を確認してください。' },
  },
  sandbox_unavailable: {
    exit: 'failed',
    canRetry: false,
    en: 'The sandbox cannot be made here, so the command was not run.',
    ja: 'サンドボックスを作れないため、コマンドを実行しませんでした。',
    next: {
      en: 'Install bubblewrap, or accept the risk with `sandbox: none` in elders.yaml.',
      ja: 'bubblewrap をインストールするか、危険を承知のうえで elders.yaml に `sandbox: none` を設定してください。',
    },
  },
  interrupted: {
    exit: 'interrupted',
    canRetry: true,
    en: 'Interrupted; what was already submitted goes on.',
    ja: '中断されました。提出済みのものは続行されます。',
    next: { en: 'See `elders directive list`.', ja: '`elders directive list` を確認してください。' },
  },
  internal: {
    exit: 'failed',
    canRetry: false,
    en: 'An error inside Elders Tree.',
    ja: 'Elders Tree の内部エラーです。',
    next: {
      en: 'Please report it with the output of `elders doctor`.',
      ja: '`elders doctor` の出力を添えて報告してください。',
    },
  },
} as const satisfies Record<string, ErrorSpec>;
export type ErrorCode = keyof typeof errorTable;

/** An error as it travels between processes and as `--json` prints it. */
export interface WireError {
  readonly code: ErrorCode;
  /** Why, in English: names, numbers and places. */
  readonly reason: string;
  readonly detail?: unknown;
}

/** The one error class of the project: a code from the table and the reason of this case. */
export class ElderError extends Error {
  override readonly name = 'ElderError';
  readonly code: ErrorCode;
  readonly reason: string;
  readonly detail: unknown;

  constructor(code: ErrorCode, reason: string, options: { cause?: unknown; detail?: unknown } = {}) {
    super(`${code}: ${reason}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.reason = reason;
    this.detail = options.detail;
  }

  get canRetry(): boolean {
    return errorTable[this.code].canRetry;
  }

  toJSON(): WireError {
    const { code, reason, detail } = this;
    return detail === undefined ? { code, reason } : { code, reason, detail };
  }
}

/** Turns anything thrown into an ElderError; what is not one already becomes `internal`. */
export function asElderError(thrown: unknown): ElderError {
  if (thrown instanceof ElderError) return thrown;
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  return new ElderError('internal', reason, { cause: thrown });
}

/** Rebuilds an ElderError from its wire form; an unknown code (from a newer program) becomes `internal`. */
export function fromWireError(wire: { code: string; reason: string; detail?: unknown }): ElderError {
  const known = Object.hasOwn(errorTable, wire.code);
  const code = known ? (wire.code as ErrorCode) : 'internal';
  return new ElderError(code, known ? wire.reason : `${wire.code}: ${wire.reason}`, { detail: wire.detail });
}

/** Everything that `elders` says to people, in English; `ja.ts` has the same shape. */
export const en = {
  help: {
    usage: 'Usage:',
    arguments: 'Arguments:',
    options: 'Options:',
    globalOptions: 'Global options:',
    commands: 'Commands:',
    optionsWord: '[options]',
    commandWord: '[command]',
    showHelp: 'show this help',
    showVersion: 'show the version',
    helpCommand: 'show the help of a command',
    program: 'AI development agents as a real hierarchy of supervised processes.',
    exitCodes:
      'Exit codes: 0 ok, 1 failed, 2 usage, 3 not running or not healthy, 4 denied, 5 timed out, 6 waits for approval, 69 Redis unreachable, 130 interrupted.',
  },
  globals: {
    json: 'print one JSON document on standard output (streams: JSON lines)',
    project: 'folder of the project, instead of searching upward for elders.yaml',
    lang: 'language of human output: en or ja',
    'no-color': 'no colours (the variable NO_COLOR does the same)',
  },
  groups: {
    directive: 'submit and follow directives',
    task: 'look at single tasks and steer them',
    rag: 'index folders and find passages in them',
    msg: 'send and inspect single messages',
    dlq: 'messages that were given up (dead letters)',
    emergency: 'halt everything, or one directive, at once',
    auth: 'who may do what',
    audit: 'what was refused, approved and changed',
    config: 'look at the configuration',
    cert: 'certificates of the processes and the authority that issues them',
  },
  commands: {
    up: {
      summary: 'start the tree; Ctrl-C drains it, a second Ctrl-C kills it',
      arguments: {},
      options: {
        detach: 'run the manager in the background',
        wait: 'with --detach: return once every elder is ready',
        'port-base': 'port of the grand elder; all others are counted from it',
        servants: 'how many servants execute tasks',
        'allow-insecure-redis': 'run on a Redis that others can reach into; every status says so',
        'events-fd': '',
      },
    },
    down: {
      summary: 'drain and stop the tree, and wait until every process has ended',
      arguments: {},
      options: { force: 'kill instead of draining' },
    },
    status: {
      summary: 'show every process of the tree; exit code 3 unless all are ready',
      arguments: {},
      options: {},
    },
    describe: {
      summary: 'show all that is known of one elder: history, certificate, rights, edges, errors',
      arguments: { name: 'name of the elder' },
      options: {},
    },
    top: {
      summary: 'show CPU, memory and message rates of every process; on a terminal until Ctrl-C, else once',
      arguments: {},
      options: {
        interval: 'time between two measurements (default 2s)',
        count: 'how many tables, or JSON lines, to print',
      },
    },
    restart: {
      summary: 'put new processes in the place of elders, one after the other, while work goes on',
      arguments: { names: 'names of elders' },
      options: { all: 'all elders, each when the one before is ready' },
    },
    reload: {
      summary: 'put a changed elders.yaml in force, restarting only the elders that it concerns',
      arguments: {},
      options: {},
    },
    export: {
      summary: 'write what makes an init system run the tree at boot: systemd or supervisord',
      arguments: { system: 'systemd or supervisord' },
      options: {
        output: 'write the file into this folder and print its path',
        user: 'systemd: a unit of your user, not of the system',
      },
    },
    'directive submit': {
      summary: 'hand a directive to the grand elder',
      arguments: { file: 'YAML or JSON file; - is standard input' },
      options: {
        wait: 'follow it to its end; exit code 0 only if it completed',
        timeout: 'give up waiting after this time, such as 10m (the directive goes on)',
      },
    },
    'directive list': {
      summary: 'list the newest directives',
      arguments: {},
      options: { limit: 'how many (default 50)' },
    },
    'directive show': {
      summary: 'show a directive and its tasks',
      arguments: { id: 'id of the directive' },
      options: {
        wait: 'follow it to its end; exit code 0 only if it completed',
        timeout: 'give up waiting after this time, such as 10m (the directive goes on)',
      },
    },
    'directive report': {
      summary: 'write what came of a directive: timeline, durations, retries, incidents, changes',
      arguments: { id: 'id of the directive' },
      options: {
        format: 'markdown or html (default markdown)',
        output: 'file to write (default: standard output)',
      },
    },
    'directive cancel': {
      summary: 'cancel a directive; running commands are ended',
      arguments: { id: 'id of the directive' },
      options: { reason: 'why; kept with the directive' },
    },
    'task list': {
      summary: 'list tasks, those under way first',
      arguments: { id: 'id of a directive (default: all)' },
      options: { state: 'only these states, such as failed,running', limit: 'how many (default 50)' },
    },
    'task show': {
      summary: 'show a task with its attempts and the end of its output',
      arguments: { task: 'DIRECTIVE/TASK' },
      options: {},
    },
    'task logs': {
      summary: 'print what a task printed',
      arguments: { task: 'DIRECTIVE/TASK' },
      options: {
        follow: 'go on until the task has ended',
        attempt: 'number of the attempt (default: the last)',
      },
    },
    'task graph': {
      summary: 'print the graph of a directive',
      arguments: { id: 'id of the directive' },
      options: { format: 'text, dot (Graphviz) or mermaid (default text)' },
    },
    'task add': {
      summary: 'add the tasks of a file to a directive under way; they may need those it has',
      arguments: { id: 'id of the directive', file: 'YAML or JSON with a list `tasks`; - is standard input' },
      options: {},
    },
    'task retry': {
      summary: 'run again what failed or was cancelled, then what was skipped because of it',
      arguments: { task: 'DIRECTIVE/TASK, or DIRECTIVE for all of it' },
      options: {},
    },
    'task cancel': {
      summary: 'cancel a task; its command is ended',
      arguments: { task: 'DIRECTIVE/TASK' },
      options: { subtree: 'with everything that waits for it', reason: 'why; kept with the task' },
    },
    'task pause': {
      summary: 'keep a task from being started; what runs goes on',
      arguments: { task: 'DIRECTIVE/TASK, or DIRECTIVE for all of it' },
      options: { subtree: 'with everything that waits for it', reason: 'why; kept with the directive' },
    },
    'task resume': {
      summary: 'let what was paused start again',
      arguments: { task: 'DIRECTIVE/TASK, or DIRECTIVE for all of it' },
      options: { subtree: 'with everything that waits for it' },
    },
    ask: {
      summary: 'ask a sage: knowledge "words", incident, task DIRECTIVE, rag "words"',
      arguments: { sage: 'knowledge, incident, task or rag', question: 'words, or the id of a directive' },
      options: { limit: 'how many answers', timeout: 'how long to wait for the answer (default 30s)' },
    },
    'rag index': {
      summary: 'keep a folder or repository indexed, and watch it for changes',
      arguments: { path: 'folder or file' },
      options: { wait: 'until everything in it can be found', timeout: 'how long to wait (default 1h)' },
    },
    'rag search': {
      summary: 'find passages of documents and code, with path and lines',
      arguments: { query: 'words or a question; "exact phrase", path:x, lang:x, -without, prefix*' },
      options: {
        limit: 'how many (default 5)',
        below: 'only files below this folder',
        timeout: 'how long to wait for the answer (default 30s)',
      },
    },
    'rag context': {
      summary: 'put the best passages together for a model to read',
      arguments: { query: 'words or a question' },
      options: {
        budget: 'tokens, as they are estimated (default 4000)',
        below: 'only files below this folder',
        timeout: 'how long to wait for the answer (default 30s)',
      },
    },
    'rag status': {
      summary: 'show what is indexed, what was left out and why',
      arguments: {},
      options: {},
    },
    'rag forget': {
      summary: 'take a folder out of the index',
      arguments: { path: 'folder or file that was indexed' },
      options: {},
    },
    'msg send': {
      summary: 'send one message through the gateway and print the answer',
      arguments: { target: 'name of the elder', action: 'such as elder.ping' },
      options: {
        payload: 'JSON object; - is standard input (default {})',
        priority: '1 to 10, 10 is the most urgent (default 5)',
        timeout: 'how long to wait for the answer (default 30s)',
      },
    },
    'msg show': {
      summary: 'show one message and what became of it',
      arguments: { id: 'id of the message' },
      options: {},
    },
    'dlq list': {
      summary: 'list the messages that were given up, the newest first',
      arguments: {},
      options: { elder: 'only those of this elder', limit: 'how many (default 50)' },
    },
    'dlq show': {
      summary: 'show a dead letter with all its errors',
      arguments: { id: 'id of the message' },
      options: {},
    },
    'dlq replay': {
      summary: 'have a dead letter handled once more; exit code 0 only if it was acted on',
      arguments: { id: 'id of the message' },
      options: { timeout: 'how long to wait for the outcome (default 30s)' },
    },
    'dlq discard': {
      summary: 'throw a dead letter away; who and when stays recorded',
      arguments: { id: 'id of the message' },
      options: { timeout: 'how long to wait for the outcome (default 30s)' },
    },
    'emergency halt': {
      summary: 'end running commands at once and let no task start until resumed',
      arguments: { id: 'id of a directive (default: all)' },
      options: { reason: 'why; kept with the halt' },
    },
    'emergency resume': {
      summary: 'take a halt back; what it ended starts again as a new attempt',
      arguments: { id: 'id of the directive that was halted (default: the halt of all)' },
      options: { reason: 'why; goes to every elder with the order' },
    },
    approvals: {
      summary: 'list what waits for your approval',
      arguments: {},
      options: { all: 'also what was decided already' },
    },
    approve: {
      summary: 'let what waits be carried out, once',
      arguments: { id: 'id of the approval, or of its directive' },
      options: { reason: 'why; kept with the approval', digest: 'approve only if this is what waits' },
    },
    deny: {
      summary: 'end what waits without carrying it out',
      arguments: { id: 'id of the approval, or of its directive' },
      options: { reason: 'why; kept with the directive', digest: 'deny only if this is what waits' },
    },
    'auth can-i': {
      summary: 'say whether somebody may send an action, and why; exit code 0 yes, 4 no',
      arguments: { action: 'such as sage.task.create' },
      options: {
        as: 'who: the name of an elder, gateway, manager or human',
        to: 'toward whom (default: anybody)',
        'on-behalf-of': 'who had it asked for, the first first, with commas between',
      },
    },
    'auth matrix': {
      summary: 'show all rights: what is not there is denied',
      arguments: {},
      options: {},
    },
    'audit list': {
      summary: 'list the audit log, the newest last',
      arguments: {},
      options: {
        since: 'only what is newer: 30m, 2h, or a date and time',
        kind: 'denial, approval, emergency, certificate, configuration or audit',
        limit: 'how many of the newest (default 100)',
      },
    },
    'audit verify': {
      summary: 'check that no line of the audit log was changed, removed or moved; exit code 0 only then',
      arguments: {},
      options: {},
    },
    logs: {
      summary: 'print the logs of processes in order of time',
      arguments: { names: 'processes, such as task_sage or manager (default: all)' },
      options: {
        follow: 'go on with new lines',
        lines: 'how many of the last lines (default 200)',
        level: 'least level: debug, info, warn or error',
      },
    },
    health: {
      summary: 'ask one process whether it lives and can serve; exit code 0 if so, 1 if not',
      arguments: { name: 'process, such as task_sage, manager or redis' },
      options: {
        live: 'only whether it lives',
        ready: 'whether it lives and can serve (the default)',
        timeout: 'how long to wait for the answer (default 10s)',
      },
    },
    'cert list': {
      summary: 'list the certificates that were issued, with their serial numbers and states',
      arguments: {},
      options: {},
    },
    'cert rotate': {
      summary: 'give a process a new key and certificate, or replace the authority, without a restart',
      arguments: { name: 'process, such as task_sage, manager or redis' },
      options: {
        all: 'every process',
        ca: 'replace the authority itself: both are trusted until every process has a certificate of the new one',
        timeout: 'how long to wait for the end (default 2m; it goes on all the same)',
      },
    },
    'cert revoke': {
      summary: 'take back every certificate of a process at once and start a successor with new credentials',
      arguments: { name: 'process, such as servant_1, manager or redis' },
      options: { 'no-restart': 'start no successor; the process stays away until the tree is started again' },
    },
    trace: {
      summary: 'show every message of a directive in causal order',
      arguments: { id: 'id of the directive (any correlation id)' },
      options: {},
    },
    doctor: { summary: 'check what the tree needs on this machine', arguments: {}, options: {} },
    'config print': {
      summary: 'print the effective configuration and where each value comes from',
      arguments: {},
      options: {},
    },
  },
  up: {
    starting: (name: string) => `starting ${name}`,
    adopted: (name: string) => `adopted ${name}`,
    ready: (name: string) => `${name} is ready`,
    stopping: (name: string) => `stopping ${name}`,
    stopped: (name: string) => `${name} has stopped`,
    failed: (name: string, reason: string) => `${name} failed: ${reason}`,
    dataLost: (reason: string) => `Redis has lost data: ${reason}`,
    treeReady: 'The tree is ready.',
    treeStopped: 'The tree has stopped.',
    draining: 'Draining; press Ctrl-C again to kill.',
    killing: 'Killing.',
    background: (pid: number) => `The manager runs in the background (pid ${pid}).`,
    goesOn: 'The manager goes on in the background.',
  },
  down: {
    none: 'Nothing is running.',
    orphans: (count: number) => `No manager runs, but ${count} processes of this tree do; stopping them.`,
    done: 'Stopped; no process of this tree is left.',
  },
  describe: {
    state: 'state',
    process: 'process',
    pidOf: (pid: number, incarnation: number, age: string) =>
      `pid ${pid}, incarnation ${incarnation}, up ${age}`,
    noProcess: 'none',
    usage: 'usage',
    usageOf: (memory: string, limit: string, cpu: string) => `${memory} of ${limit}, ${cpu} of CPU time`,
    supervision: 'supervision',
    supervisionOf: (restart: string, branch: string, strategy: string, shutdown: string) =>
      `${restart}, branch ${branch} (${strategy}), may drain for ${shutdown}`,
    restarts: 'restarts',
    restartsOf: (restarts: number, crashes: number, intensity: number, period: string) =>
      `${restarts}; ${crashes} crashes within ${period}, given up after more than ${intensity}`,
    certificate: 'certificate',
    certificateOf: (serial: string, expires: string) => `${serial}, until ${expires}`,
    noCertificate: 'none',
    isolation: 'isolation',
    permissions: 'rights',
    sends: 'may send',
    edges: ['edge', 'lane', 'waiting', 'handled', 'kept in Redis'],
    unused: (count: number) => `${count} edges have never been used.`,
    errors: 'Last errors:',
    noErrors: 'No errors.',
  },
  top: {
    head: ['process', 'state', 'pid', 'CPU', 'memory', 'handled/s', 'sent/s', 'waiting', 'restarts'],
    title: (state: string, span: string) => `${state} · over the last ${span}`,
  },
  restart: {
    done: (names: string) => `Restarted: ${names}.`,
    everything: 'all elders',
    nothing: 'name the elders to restart, or give --all',
    both: 'give names or --all, not both',
  },
  export: {
    unknown: (system: string, known: string) => `no init system "${system}"; known: ${known}`,
    userOfSystemd: '--user goes with systemd',
    withoutNotify:
      'systemd-notify is not on PATH: the unit has Type=exec and no watchdog, so systemd takes the tree for started at once.',
  },
  reload: {
    nothing: 'Nothing has changed.',
    done: (settings: string) => `In force: ${settings}.`,
  },
  status: {
    tree: (tree: string, state: string) => `Tree ${tree}: ${state}`,
    noTree: 'No tree has been started here.',
    manager: (pid: number, since: string) => `manager pid ${pid}, up ${since}`,
    noManager: 'no manager',
    redis: (where: string, state: string, appendfsync: string) =>
      `redis ${where} ${state}, appendfsync ${appendfsync}`,
    insecureRedis: (reason: string) => `INSECURE REDIS: ${reason}`,
    sandbox: (sandbox: string) => `sandbox ${sandbox}`,
    isolation: (kind: string, without: readonly string[]) =>
      `isolation ${kind}${without.length === 0 ? '' : ` (none: ${without.join(', ')})`}`,
    spares: (ready: number, of: number, without: readonly string[]) =>
      `spares ${ready}/${of} warm${without.length === 0 ? '' : ` (none for ${without.join(', ')})`}`,
    aliveWithoutManager: 'alive by its record; without a manager nobody knows whether it is ready',
    head: ['NAME', 'STATE', 'PID', 'PORT', 'INCARNATION', 'RESTARTS', 'UP', ''],
  },
  directive: {
    submitted: (id: string) => `Directive ${id} submitted.`,
    accepted: (id: string, state: string) => `Directive ${id}: ${state}`,
    follow: (id: string) => `Follow it with: elders directive show ${id}`,
    none: 'There are no directives.',
    listHead: ['ID', 'STATE', 'TASKS', 'SUBMITTED', 'TITLE'],
    taskHead: ['TASK', 'STATE', 'ATTEMPTS', 'EXIT', 'SERVANT', 'TIME'],
    title: 'title',
    goal: 'goal',
    workspace: 'workspace',
    state: 'state',
    halted: 'halted',
    reason: 'reason',
    knownBefore: 'known before',
    approval: 'approval',
    outputOf: (task: string, path: string) => `Last output of ${task} (${path}):`,
    cancelled: (id: string, state: string) => `Directive ${id}: ${state}`,
    ended: (id: string, state: string, counts: string, time: string) =>
      `Directive ${id} ${state}: ${counts} in ${time}`,
    forecast: (p50: string, p90: string) => `about ${p50} left (p90 ${p90})`,
    more: (count: number) => `… and ${count} more`,
    reconnecting: 'The grand elder is away; waiting for it.',
  },
  report: {
    submitted: 'submitted',
    ended: 'ended',
    duration: 'duration',
    tasks: 'tasks',
    attempts: 'attempts',
    timeline: 'Timeline',
    retries: 'Attempts of tasks that needed more than one',
    incidents: 'Incidents',
    commits: 'Commits in the workspace during that time',
    noCommits: '(none)',
    uncommitted: 'Not committed now',
    testHead: ['TEST', 'MESSAGE'],
    failedTests: (id: string) => `Failed tests of ${id}`,
    outputOf: (id: string, reason: string) => `Failed: ${id}${reason === '' ? '' : `: ${reason}`}`,
    written: (at: string) => `Written at ${at}.`,
  },
  task: {
    none: 'There are no such tasks.',
    paused: '(paused)',
    listHead: ['TASK', 'STATE', 'PRIORITY', 'ATTEMPTS', 'SERVANT', 'TIME', 'COMMAND'],
    attemptHead: ['ATTEMPT', 'OUTCOME', 'EXIT', 'SERVANT', 'TIME', 'REASON'],
    more: '… and more (--limit)',
    estimate: 'like tasks took',
    added: (count: number, id: string) => `${count} tasks added to directive ${id}.`,
    controlled: {
      pause: (count: number, id: string) => `${count} tasks of directive ${id} are paused.`,
      resume: (count: number, id: string) => `${count} tasks of directive ${id} may start again.`,
      retry: (count: number, id: string) => `${count} tasks of directive ${id} run again.`,
      cancel: (count: number, id: string) => `${count} tasks of directive ${id} are cancelled.`,
    },
  },
  ask: {
    nothing: 'Nothing is known about that.',
    noIncidents: 'There are no incidents.',
    incidentHead: ['ID', 'SEVERITY', 'COUNT', 'LAST', 'SOURCE', 'TITLE'],
  },
  rag: {
    nothing: 'Nothing was found.',
    noSources: 'Nothing is indexed yet: elders rag index PATH',
    indexing: 'Not everything is indexed yet.',
    methods: { lexical: 'found by words (lexical)', hybrid: 'found by words and meaning (hybrid)' },
    without: (reason: string) => `without embeddings: ${reason}`,
    queued: (path: string) => `${path} is being indexed: elders rag status`,
    indexed: (path: string, files: number, passages: number, seconds: string) =>
      `${path}: ${files} files, ${passages} passages (${seconds} s)`,
    forgotten: (path: string) => `${path} is not indexed any more.`,
    outside: (path: string) => `${path} lies outside of the project: the RAG sage is started anew to see it.`,
    states: { waiting: 'waiting', indexing: 'indexing', ready: 'ready', failed: 'failed' },
    head: ['STATE', 'FILES', 'PASSAGES', 'LEFT OUT', 'WATCHED', 'FOLDER'],
    problems: (count: number) => `${count} files with something to know:`,
    leftOut: 'left out',
    context: (tokens: number, budget: number) => `about ${tokens} of ${budget} tokens`,
  },
  trace: {
    head: ['SENT', 'DELIVERED', 'ACTED', 'STATE', 'ID', 'MESSAGE'],
  },
  dlq: {
    none: 'There are no dead letters.',
    head: ['GIVEN UP', 'ID', 'FROM → TO', 'ACTION', 'TRIES', 'LAST ERROR'],
    more: (count: number) => `… and ${count} more (--limit)`,
    discarded: (id: string) => `Dead letter ${id} discarded.`,
    acted: (id: string, elder: string) => `${elder} has acted on ${id}.`,
  },
  emergency: {
    halted: (id: string | null, told: number) =>
      `${id === null ? 'Everything' : `Directive ${id}`} is halted; the order has gone to ${told} processes.`,
    resumed: (id: string | null, told: number) =>
      `The halt of ${id === null ? 'everything' : `directive ${id}`} is lifted; the order has gone to ${told} processes.`,
  },
  health: { ready: 'is ready', live: 'lives but is not ready', dead: 'does not answer' },
  cert: {
    head: ['NAME', 'STATE', 'SERIAL', 'ISSUED', 'EXPIRES', 'NAMES', ''],
    states: { current: 'current', superseded: 'superseded', revoked: 'revoked', expired: 'expired' },
    rotations: {
      none: '',
      introduced: ' (a new root is being made known; this one still signs)',
      switched: ' (the one before is still trusted)',
    },
    root: (fingerprint: string, rotation: string) => `Root ${fingerprint}…${rotation}`,
    renewed: (names: string) => `New certificates: ${names}`,
    newRoot: (fingerprint: string) => `Root ${fingerprint}… is the only one trusted now.`,
    revoked: (name: string, count: number, peers: number, ms: number) =>
      `${count} certificates of ${name} revoked; ${peers} processes refuse them, after ${ms} ms.`,
    pending: (names: string) => `Not confirmed yet by: ${names}`,
    restarted: (name: string) => `A successor of ${name} gets new credentials.`,
    stays: (name: string) => `${name} is not started again until the tree is.`,
  },
  approval: {
    none: 'Nothing waits for approval.',
    head: ['ID', 'STATE', 'RISK', 'DIRECTIVE', 'UNTIL', 'WHAT AND WHY'],
    approved: (id: string, directive: string) =>
      `Approval ${id} is given; directive ${directive} is carried out.`,
    denied: (id: string, directive: string) =>
      `Approval ${id} is denied; directive ${directive} is rejected.`,
    waits: (id: string, reasons: string) =>
      `It waits for your approval (${reasons}): elders approve ${id}, or elders deny ${id}`,
  },
  auth: {
    yes: (targets: string) => `yes, to ${targets}`,
    no: 'no',
    everybody: 'everybody',
    holderHead: ['NAME', 'PERMISSIONS', 'OWN DUTIES'],
    rightHead: ['FROM', 'TO', 'ACTION', 'BY PERMISSION', 'CHAIN'],
    note: '*: everybody on whose behalf it is asked for needs the right too. servant_1 stands for every servant. What is not here is denied.',
  },
  audit: {
    none: 'The audit log holds nothing of the kind.',
    head: ['NO', 'TIME', 'WHAT', 'WHO', 'ACTION', 'SAID BY', 'WHY'],
    ok: (records: number, seq: number, anchored: boolean) =>
      `${records} records, the last is ${seq}: all as they were written${anchored ? ', and none is missing at the end' : ''}.`,
    bad: (count: number) => `The audit log was changed: ${count} findings.`,
    end: 'end of the log',
    noAnchor:
      'The end of the log is not compared with Redis, because no tree runs here: a cut at the end would not be seen.',
  },
  logs: { none: 'There are no logs yet.' },
  doctor: {
    ok: 'ok',
    warn: 'warning',
    fail: 'failed',
    checks: {
      node: 'Node.js',
      redis: 'redis-server',
      sandbox: 'bubblewrap',
      isolation: 'isolation',
      config: 'configuration',
      folder: 'state folder',
      ports: 'ports',
      fsync: 'disk',
      clock: 'clock',
    },
    hints: {
      node: 'Install Node.js 24 or newer, or name one with ELDERS_NODE.',
      redis:
        'Install it (Debian/Ubuntu: apt-get install redis-server; macOS: brew install redis), or name your own Redis in elders.yaml.',
      sandbox:
        'Install bubblewrap and allow unprivileged user namespaces, or accept the risk with `sandbox: none` in elders.yaml.',
      isolation:
        'Run the tree as an ordinary user on a host with bubblewrap; without it elders can read each other’s secrets.',
      config: 'Correct the place named.',
      folder: 'Take the rights of others away: chmod -R go= .elders',
      ports: 'End that program, or move the tree with --port-base N.',
      fsync: 'A slow disk slows every commit; see `appendfsync` in elders.yaml.',
      clock: 'Set the clock of this machine.',
    },
  },
};

/** The shape of a catalog. */
export type Catalog = typeof en;

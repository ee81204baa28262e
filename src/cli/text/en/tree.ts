/** Starting, stopping, watching and changing a tree, in English. */
export const tree = {
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
    scale: {
      summary: 'show how many servants there are, or change that while work goes on',
      arguments: { counts: 'servant=N, or GROUP=N; auto instead of N leaves it to the automatic' },
      options: { detach: 'do not wait until it has come about' },
    },
    export: {
      summary: 'write what makes an init system run the tree at boot: systemd or supervisord',
      arguments: { system: 'systemd or supervisord' },
      options: {
        output: 'write the file into this folder and print its path',
        user: 'systemd: a unit of your user, not of the system',
      },
    },
  },
  texts: {
    up: {
      starting: (name: string) => `starting ${name}`,
      adopted: (name: string) => `adopted ${name}`,
      ready: (name: string) => `${name} is ready`,
      stopping: (name: string) => `stopping ${name}`,
      stopped: (name: string) => `${name} has stopped`,
      failed: (name: string, reason: string) => `${name} failed: ${reason}`,
      dataLost: (reason: string) => `Redis has lost data: ${reason}`,
      servantDraining: (name: string) => `${name} gets no more tasks, finishes what it has and goes.`,
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
      servants: (pool: string, count: number, draining: number, bounds: string | null) =>
        `${pool} ${count}${draining === 0 ? '' : ` (${draining} more draining)`}${bounds === null ? '' : `, automatic ${bounds}`}`,
      spares: (ready: number, of: number, without: readonly string[]) =>
        `spares ${ready}/${of} warm${without.length === 0 ? '' : ` (none for ${without.join(', ')})`}`,
      aliveWithoutManager: 'alive by its record; without a manager nobody knows whether it is ready',
      head: ['NAME', 'STATE', 'PID', 'PORT', 'INCARNATION', 'RESTARTS', 'UP', ''],
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
    reload: {
      nothing: 'Nothing has changed.',
      done: (settings: string) => `In force: ${settings}.`,
    },
    scale: {
      malformed: (given: string) => `${given}: expected NAME=N or NAME=auto, such as servant=4`,
      twice: (pool: string) => `${pool} is named twice`,
      change: (from: number, to: number, by: string, reason: string | null) =>
        `${from} → ${to} (${by}${reason === null ? '' : `: ${reason}`})`,
      ago: (span: string) => `${span} ago`,
      head: ['SERVANTS', 'COUNT', 'READY', 'BUSY', 'DRAINING', 'WAITING', 'BOUNDS', 'BY', 'LAST CHANGE'],
      automatic: 'automatic',
      fixed: 'fixed',
      none: '-',
    },
    export: {
      unknown: (system: string, known: string) => `no init system "${system}"; known: ${known}`,
      userOfSystemd: '--user goes with systemd',
      withoutNotify:
        'systemd-notify is not on PATH: the unit has Type=exec and no watchdog, so systemd takes the tree for started at once.',
    },
  },
};

/** Traces, the machine and the configuration, in English. */
export const diagnosis = {
  groups: {
    config: 'look at the configuration',
  },
  commands: {
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
  texts: {
    trace: {
      head: ['SENT', 'DELIVERED', 'ACTED', 'STATE', 'ID', 'MESSAGE'],
    },
    doctor: {
      ok: 'ok',
      warn: 'warning',
      fail: 'failed',
      checks: {
        node: 'Node.js',
        redis: 'redis-server',
        git: 'Git',
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
        git: 'Install Git 2.38 or newer if tasks are to have worktrees (`git: worktree`).',
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
  },
};

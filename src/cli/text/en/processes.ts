/** Single processes: logs, health and certificates, in English. */
export const processes = {
  groups: {
    cert: 'certificates of the processes and the authority that issues them',
  },
  commands: {
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
  },
  texts: {
    logs: { none: 'There are no logs yet.' },
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
  },
};

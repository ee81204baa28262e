import type { ServicePlan } from './service-plan.ts';

interface UnitOptions {
  /** For the service manager of a user, not of the system. */
  readonly user: boolean;
  /** Whether the program is there with which the manager tells systemd that it is ready. */
  readonly notify: boolean;
}

/** Words of a command line of a unit. */
function commandLine(words: readonly string[]): string {
  return words.map((word) => quoted(word).replaceAll('$', '$$$$')).join(' ');
}

/** As systemd reads a quoted word; `%` begins a specifier. */
function quoted(text: string): string {
  const escaped = text
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('\n', '\\n')
    .replaceAll('%', '%%');
  return `"${escaped}"`;
}

/** Writes the unit of a tree: the manager as its main process, which alone systemd signals. */
export function systemdUnit(plan: ServicePlan, { user, notify }: UnitOptions): string {
  const online = plan.network && !user;
  const environment = Object.entries(plan.environment).map(
    ([name, value]) => `Environment=${quoted(`${name}=${value}`)}`,
  );
  const lines = [
    '[Unit]',
    `Description=Elders Tree of ${plan.project.replaceAll('%', '%%')}`,
    ...(online ? ['Wants=network-online.target', 'After=network-online.target'] : []),
    'StartLimitIntervalSec=600',
    'StartLimitBurst=20',
    '',
    '[Service]',
    ...(notify
      ? [
          'Type=notify',
          '# The manager has systemd-notify send for it, which is a process of its own.',
          'NotifyAccess=all',
          'WatchdogSec=60',
        ]
      : ['# Without systemd-notify the manager cannot tell when the tree is ready.', 'Type=exec']),
    ...(user ? [] : [`User=${plan.user}`]),
    `WorkingDirectory=${plan.project.replaceAll('%', '%%')}`,
    ...environment,
    `ExecStart=${commandLine(plan.command)}`,
    `ExecReload=${commandLine(plan.reload)}`,
    '# SIGTERM drains the tree, and only the manager gets it; one that died is started again and adopts the elders.',
    'KillMode=process',
    'Restart=on-failure',
    'RestartSec=1',
    '# A wrong configuration, or a tree that runs already, does not change by trying again.',
    'RestartPreventExitStatus=2 3',
    `TimeoutStartSec=${plan.startSeconds}`,
    `TimeoutStopSec=${plan.stopSeconds}`,
    '# The elders would outlive a manager that was killed because it took too long to stop.',
    `ExecStopPost=/bin/sh -c '[ "$$SERVICE_RESULT" != timeout ] || exec "$$@"' sh ${commandLine(plan.forceDown)}`,
    '# One process that the kernel ends for lack of memory is restarted by the manager.',
    'OOMPolicy=continue',
    'TasksMax=infinity',
    '',
    '[Install]',
    `WantedBy=${user ? 'default.target' : 'multi-user.target'}`,
  ];
  return `${lines.join('\n')}\n`;
}

/** Directives and their reports, in English. */
export const directive = {
  groups: {
    directive: 'submit and follow directives',
  },
  commands: {
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
  },
  texts: {
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
      waits: (task: string, why: string) => `${task} waits: ${why}`,
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
      noOutput: '(no output)',
      uncommitted: 'Not committed now',
      testHead: ['TEST', 'MESSAGE'],
      failedTests: (id: string) => `Failed tests of ${id}`,
      outputOf: (id: string, reason: string) => `Failed: ${id}${reason === '' ? '' : `: ${reason}`}`,
      written: (at: string) => `Written at ${at}.`,
    },
  },
};

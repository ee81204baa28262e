/** Single tasks, in English. */
export const task = {
  groups: {
    task: 'look at single tasks and steer them',
  },
  commands: {
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
    'task clean': {
      summary: 'list the worktrees and branches that tasks left; remove what is safe with --yes',
      arguments: { id: 'id of a directive (default: all)' },
      options: { yes: 'commit what is not committed, remove worktrees, and branches that were merged' },
    },
    'task resume': {
      summary: 'let what was paused start again',
      arguments: { task: 'DIRECTIVE/TASK, or DIRECTIVE for all of it' },
      options: { subtree: 'with everything that waits for it' },
    },
  },
  texts: {
    task: {
      none: 'There are no such tasks.',
      progress: 'progress',
      git: 'git',
      tests: 'tests',
      artifacts: 'artifacts',
      usage: 'used',
      paused: '(paused)',
      listHead: ['TASK', 'STATE', 'PRIORITY', 'ATTEMPTS', 'SERVANT', 'TIME', 'COMMAND'],
      attemptHead: ['ATTEMPT', 'OUTCOME', 'EXIT', 'SERVANT', 'TIME', 'REASON'],
      more: '… and more (--limit)',
      estimate: 'like tasks took',
      added: (count: number, id: string) => `${count} tasks added to directive ${id}.`,
      controlled: {
        pause: (count: number, id: string) =>
          `Directive ${id}: ${count} ${count === 1 ? 'task is' : 'tasks are'} paused.`,
        resume: (count: number, id: string) =>
          `Directive ${id}: ${count} ${count === 1 ? 'task' : 'tasks'} may start again.`,
        retry: (count: number, id: string) =>
          `Directive ${id}: ${count} ${count === 1 ? 'task runs' : 'tasks run'} again.`,
        cancel: (count: number, id: string) =>
          `Directive ${id}: ${count} ${count === 1 ? 'task is' : 'tasks are'} cancelled.`,
      },
    },
    clean: {
      none: 'Tasks have left nothing in git.',
      head: ['KIND', 'WHERE', 'STATE', 'DONE'],
      kinds: { worktree: 'worktree', branch: 'branch' },
      uncommitted: (files: number | null) => (files === null ? 'unknown' : `${files} files not committed`),
      merged: 'merged',
      unmerged: 'not merged',
      done: { removed: 'removed', 'committed and removed': 'committed and removed', kept: 'kept' },
      hint: 'With --yes what is not committed is committed to its branch, worktrees go, and so do merged branches.',
    },
  },
};

import type { DirectiveSpec, TaskSpec } from '../../src/protocol/directive.ts';

/** A task that needs nothing and is not tried again. */
export function task(id: string, changes: Partial<TaskSpec> = {}): TaskSpec {
  return { id, run: 'true', needs: [], retries: 0, timeoutMs: 60_000, priority: 5, env: {}, ...changes };
}

/** A directive of these tasks. */
export function directive(tasks: TaskSpec[], changes: Partial<DirectiveSpec> = {}): DirectiveSpec {
  return { title: 'Release check', goal: 'it packs', workspace: '/work', tasks, ...changes };
}

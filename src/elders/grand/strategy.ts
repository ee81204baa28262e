import { isAbsolute, normalize } from 'node:path';
import type { Config } from '../../protocol/config.ts';
import type { DirectiveSpec } from '../../protocol/directive.ts';
import { hostsBeyond } from '../../protocol/network-host.ts';
import { checkGraph } from '../../protocol/task-graph.ts';

/**
 * Measures a directive by the strategy: gives the reason to reject it, or `null`. The sender has checked the
 * file already; the graph is checked again, because nothing that comes from a socket is believed.
 */
export function reasonToReject(spec: DirectiveSpec, activeDirectives: number, config: Config): string | null {
  const { maxTasks, maxActiveDirectives } = config.strategy;
  if (activeDirectives >= maxActiveDirectives) {
    return `${activeDirectives} directives are under way; strategy.maxActiveDirectives is ${maxActiveDirectives}`;
  }
  if (spec.tasks.length > maxTasks) {
    return `${spec.tasks.length} tasks; strategy.maxTasks is ${maxTasks}`;
  }
  if (!isAbsolute(spec.workspace) || normalize(spec.workspace) === '/') {
    return `the workspace must be an absolute path below /, not ${spec.workspace}`;
  }
  const beyond = hostsBeyond(
    spec.tasks.flatMap((task) => task.hosts ?? []),
    config.strategy.hosts,
  );
  if (beyond.length > 0) return `strategy.hosts does not allow ${[...new Set(beyond)].join(', ')}`;
  const [problem] = checkGraph(spec.tasks);
  return problem?.message ?? null;
}

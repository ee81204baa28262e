import { type Risk, risks } from '../../protocol/approval.ts';
import type { Config } from '../../protocol/config.ts';
import type { DirectiveSpec } from '../../protocol/directive.ts';

/** How much can go wrong, and why. */
export interface Assessment {
  readonly risk: Risk;
  /** Why it is more than low. */
  readonly reasons: readonly string[];
}

interface Finding {
  readonly risk: Risk;
  readonly reason: string;
}

/** What makes a directive risky; each rule gives its finding, or `null`. */
const rules: readonly ((spec: DirectiveSpec, config: Config, taskCount: number) => Finding | null)[] = [
  // Its author can say that it is riskier than it looks, never that it is less so.
  ({ risk }) =>
    risk && risk !== 'low' ? { risk, reason: `the directive says that its risk is ${risk}` } : null,
  (_, { sandbox }) =>
    sandbox === 'none' ? { risk: 'medium', reason: 'commands run without a sandbox (sandbox: none)' } : null,
  (_, { sandboxNetwork }) =>
    sandboxNetwork ? { risk: 'medium', reason: 'commands reach the network (sandboxNetwork)' } : null,
  (_, { sandboxWritable }) =>
    sandboxWritable.length > 0
      ? { risk: 'medium', reason: `commands write outside of the workspace: ${sandboxWritable.join(', ')}` }
      : null,
  ({ tasks }) => {
    const hosts = [...new Set(tasks.flatMap((task) => task.hosts ?? []))].sort();
    return hosts.length > 0
      ? { risk: 'medium', reason: `commands reach these hosts: ${hosts.join(', ').slice(0, 200)}` }
      : null;
  },
  ({ tasks }) =>
    tasks.some(({ additions }) => additions)
      ? { risk: 'medium', reason: 'commands may add tasks of their own (additions)' }
      : null,
  (_, { strategy }, taskCount) =>
    taskCount > strategy.manyTasks
      ? {
          risk: 'medium',
          reason: `${taskCount} tasks are more than strategy.manyTasks (${strategy.manyTasks})`,
        }
      : null,
];

const rank = (risk: Risk) => risks.indexOf(risk);

/**
 * Judges a directive under a configuration: its risk is that of the worst finding. `taskCount`: how many tasks it has,
 * where some of them are not in `spec`.
 */
export function assessRisk(
  spec: DirectiveSpec,
  config: Config,
  taskCount: number = spec.tasks.length,
): Assessment {
  const findings = rules.map((rule) => rule(spec, config, taskCount)).filter((finding) => finding !== null);
  const risk = findings.reduce<Risk>(
    (worst, finding) => (rank(finding.risk) > rank(worst) ? finding.risk : worst),
    'low',
  );
  return { risk, reasons: findings.map(({ reason }) => reason) };
}

/** Whether the strategy lets nobody but the human decide about this. */
export function needsApproval({ risk }: Assessment, config: Config): boolean {
  return rank(risk) > rank(config.strategy.maxRisk);
}

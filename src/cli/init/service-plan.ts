import { userInfo } from 'node:os';
import { basename, delimiter, isAbsolute } from 'node:path';
import { childSpec } from '../../protocol/child-spec.ts';
import type { Config } from '../../protocol/config.ts';
import { roster } from '../../protocol/roster.ts';
import { startingServants } from '../../protocol/servant-pools.ts';
import { startGroups } from '../../supervision/branches/branch-tree.ts';

/** What an init system needs to know to run a tree. */
export interface ServicePlan {
  /** Of the service; letters, digits, `.`, `_` and `-` only. */
  readonly name: string;
  readonly project: string;
  readonly user: string;
  /** Program and arguments that run the manager in the foreground. */
  readonly command: readonly string[];
  readonly reload: readonly string[];
  /** Ends what a manager that was killed in the middle of a stop has left. */
  readonly forceDown: readonly string[];
  /** What the service is to have of the environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Longest orderly start, s. */
  readonly startSeconds: number;
  /** Longest orderly stop, s. */
  readonly stopSeconds: number;
  /** Whether Redis is reached over a network. */
  readonly network: boolean;
}

interface PlanOptions {
  readonly project: string;
  readonly config: Config;
  readonly env: NodeJS.ProcessEnv;
  /** Program and first arguments of `elders`. */
  readonly elders: readonly string[];
}

/** For what stands between the steps, s. */
const slack = 30;

/** Works out how an init system runs the tree of a project. */
export function servicePlan({ project, config, env, elders }: PlanOptions): ServicePlan {
  const { supervision } = config;
  const groups = startGroups({ config, specs: roster(startingServants(config)) });
  const draining = groups.map((group) =>
    Math.max(...group.map(({ name }) => childSpec(config, name).shutdown)),
  );
  const stopMs = draining.reduce((sum, ms) => sum + ms, supervision.shutdown);
  const own = (...words: string[]) => [...elders, ...words, '--project', project];
  return {
    name: `elders-${basename(project).replace(/[^\w.-]+/g, '-') || 'tree'}`,
    project,
    user: userInfo().username,
    command: own('up'),
    reload: own('reload'),
    forceDown: own('down', '--force'),
    environment: {
      PATH: searchPath(env.PATH ?? ''),
      ...(env.HOME === undefined ? {} : { HOME: env.HOME }),
      ...(env.LANG === undefined ? {} : { LANG: env.LANG }),
    },
    startSeconds: seconds(supervision.startTimeout * (groups.length + 1)),
    stopSeconds: seconds(stopMs),
    network: config.redis !== undefined,
  };
}

/** Folders that stand there relative to the present one mean nothing to a service. */
function searchPath(path: string): string {
  return [...new Set(path.split(delimiter).filter(isAbsolute))].join(delimiter);
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1_000) + slack;
}

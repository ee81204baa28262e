import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { IncidentRecord } from '../../protocol/actions.ts';
import type { DirectiveView } from '../../protocol/directive.ts';
import type { GatewayClient } from '../connection/gateway-client.ts';

const run = promisify(execFile);
const gitMs = 10_000;
const listedIncidents = 500;
const listedCommits = 100;

/** What the workspace's git says about the time of a directive. */
export interface Changes {
  /** One line a commit, the newest first. */
  readonly commits: readonly string[];
  /** `git diff --stat` of what is not committed now. */
  readonly uncommitted: string;
}

/** All that a report is written from. */
export interface Report {
  readonly view: DirectiveView;
  readonly incidents: readonly IncidentRecord[];
  /** `null` where the workspace is no git repository. */
  readonly changes: Changes | null;
  /** Ms since the epoch. */
  readonly writtenAt: number;
}

async function git(workspace: string, ...args: string[]): Promise<string> {
  // A repository's own hooks and pagers are nothing that a report should run.
  const options = [
    '-c',
    'core.fsmonitor=false',
    '-c',
    'core.hooksPath=/dev/null',
    '--no-pager',
    '-C',
    workspace,
  ];
  const { stdout } = await run('git', [...options, ...args], { timeout: gitMs, maxBuffer: 4_000_000 });
  return stdout.trimEnd();
}

async function changesOf({ workspace, submittedAt, finishedAt }: DirectiveView): Promise<Changes | null> {
  try {
    const since = `--since=@${Math.floor(submittedAt / 1_000)}`;
    const until = finishedAt === null ? [] : [`--until=@${Math.ceil(finishedAt / 1_000)}`];
    const format = [
      'log',
      '--all',
      `--max-count=${listedCommits}`,
      '--date=iso-strict',
      '--format=%h %cd %an: %s',
    ];
    const commits = await git(workspace, ...format, since, ...until);
    const uncommitted = await git(workspace, 'diff', '--no-ext-diff', '--stat', 'HEAD');
    return { commits: commits.split('\n').filter((line) => line !== ''), uncommitted };
  } catch {
    return null;
  }
}

/** Gathers what a report tells: the directive, its incidents, what changed in the workspace. Throws `not_found`. */
export async function collectReport(client: GatewayClient, directiveId: string): Promise<Report> {
  const view = await client.view(directiveId);
  const { incidents } = await client.ask('incident_sage', 'sage.incident.list', { limit: listedIncidents });
  const own = incidents.filter((incident) => incident.directiveId === directiveId);
  return { view, incidents: own, changes: await changesOf(view), writtenAt: Date.now() };
}

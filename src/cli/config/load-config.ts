import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { type Config, configSchema } from '../../protocol/config.ts';
import { checkValue, type Locate, type Problem, parseDocument } from '../../protocol/document.ts';
import { ElderError } from '../../protocol/errors.ts';
import { type Override, readEnvironment } from './environment.ts';
import { findProject, type Project, projectAt } from './find-project.ts';
import { type Setting, settings } from './settings.ts';

/** The effective configuration and where it comes from. */
export interface LoadedConfig {
  readonly project: Project;
  readonly config: Config;
  /** Each setting as it was given (durations as text), and by what: `default`, the file, a variable or a flag. */
  readonly values: readonly { readonly setting: Setting; readonly value: unknown; readonly source: string }[];
}

/** What decides about the configuration. Flags are by setting, such as `{portBase: 6000}`. */
export interface ConfigInputs {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly project?: string | undefined;
  readonly flags?: Readonly<Record<string, unknown>>;
}

type Tree = { [key: string]: unknown };

/** Throws `code` with all problems: the first few in the reason, all of them in the detail. */
export function throwProblems(
  code: 'config_invalid' | 'directive_invalid',
  source: string,
  problems: readonly Problem[],
): never {
  const lines = problems.map(({ line, column, message }) =>
    line > 0 ? `${source}:${line}:${column}: ${message}` : message,
  );
  const shown = lines.length > 20 ? [...lines.slice(0, 20), `… and ${lines.length - 20} more`] : lines;
  throw new ElderError(code, shown.join('\n'), { detail: { file: source, problems } });
}

function readFileTree(file: string, shown: string): { tree: Tree; at: Locate } {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new ElderError('config_invalid', `${shown} cannot be read: ${(cause as Error).message}`, { cause });
  }
  const parsed = parseDocument(text);
  if (!parsed.ok) return throwProblems('config_invalid', shown, parsed.problems);
  const tree = parsed.raw ?? {};
  const checked = checkValue(tree, configSchema, parsed.at);
  if (!checked.ok) return throwProblems('config_invalid', shown, checked.problems);
  return { tree: tree as Tree, at: parsed.at };
}

function get(tree: Tree, path: readonly string[]): unknown {
  let value: unknown = tree;
  for (const key of path)
    value = typeof value === 'object' && value !== null ? (value as Tree)[key] : undefined;
  return value;
}

function set(tree: Tree, path: readonly string[], value: unknown): void {
  const [key, ...rest] = path as [string, ...string[]];
  if (rest.length === 0) {
    tree[key] = value;
    return;
  }
  const inner = tree[key];
  const below: Tree = typeof inner === 'object' && inner !== null ? { ...inner } : {};
  // `redis: URL` is short for `redis: {url: URL}`; a variable that adds to it must not lose it.
  if (key === 'redis' && typeof inner === 'string') below.url = inner;
  tree[key] = below;
  set(below, rest, value);
}

function apply(tree: Tree, overrides: readonly Override[]): Tree {
  const merged = { ...tree };
  const outermostFirst = [...overrides].sort((a, b) => a.setting.path.length - b.setting.path.length);
  for (const { setting, value } of outermostFirst) set(merged, setting.path, value);
  return merged;
}

function checkOverrides(tree: Tree, overrides: readonly Override[]): Config {
  const checked = checkValue(tree, configSchema, () => ({ line: 0, column: 0 }));
  if (checked.ok) return checked.value;
  const problems = checked.problems.map((problem) => {
    const culprit = overrides.findLast(({ setting }) => {
      const path = setting.path.join('.');
      return (
        path === problem.path || problem.path.startsWith(`${path}.`) || path.startsWith(`${problem.path}.`)
      );
    });
    return { ...problem, message: `${culprit?.source ?? problem.path}: ${problem.message}` };
  });
  return throwProblems('config_invalid', 'environment', problems);
}

function absolute(folder: string, path: string): string {
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : resolve(folder, path);
}

function withAbsolutePaths(config: Config, folder: string): Config {
  const { redis } = config;
  const sandboxWritable = config.sandboxWritable.map((path) => absolute(folder, path));
  if (typeof redis !== 'object') return { ...config, sandboxWritable };
  const { url, ...files } = redis;
  const found = Object.entries(files).flatMap(([key, path]) => (path ? [[key, absolute(folder, path)]] : []));
  return { ...config, sandboxWritable, redis: { url, ...Object.fromEntries(found) } };
}

/** Finds and checks the configuration: flags before `ELDERS_*` before the file before defaults. Throws `config_invalid`. */
export function loadConfig({ cwd, env, project: named, flags = {} }: ConfigInputs): LoadedConfig {
  const project = named === undefined ? findProject(cwd) : projectAt(resolve(cwd, named));
  const shown = project.file === null ? '' : relative(cwd, project.file) || project.file;
  const tree = project.file === null ? {} : readFileTree(project.file, shown).tree;
  const environment = readEnvironment(env);
  if (environment.problems.length > 0) throwProblems('config_invalid', 'environment', environment.problems);
  const fromFlags = Object.entries(flags).flatMap(([key, value]): Override[] => {
    const setting = settings().find(({ path }) => path.join('.') === key);
    const source = `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    return setting === undefined || value === undefined ? [] : [{ setting, value, source }];
  });
  const overrides = [...environment.overrides, ...fromFlags];
  const merged = apply(tree, overrides);
  const config = withAbsolutePaths(checkOverrides(merged, overrides), project.folder);
  const values = settings().flatMap((setting) => {
    const given = get(merged, setting.path);
    if (given === undefined && setting.fallback === undefined) return [];
    // Shown as its parts, where it has parts.
    const hasParts = typeof given === 'object' && given !== null && !Array.isArray(given);
    if (hasParts && setting.kind !== 'mapping') return [];
    const override = overrides.findLast(({ setting: { path } }) =>
      path.every((key, index) => setting.path[index] === key),
    );
    const source = override?.source ?? (given === undefined ? 'default' : shown);
    return [{ setting, value: given ?? setting.fallback, source }];
  });
  return { project, config, values };
}

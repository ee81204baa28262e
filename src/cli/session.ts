import { resolve } from 'node:path';
import type { Config } from '../protocol/config.ts';
import { ElderError } from '../protocol/errors.ts';
import { type StateFolder, stateFolder } from '../protocol/state-folder.ts';
import { findProject, type Project, projectAt } from './config/find-project.ts';
import type { LoadedConfig } from './config/load-config.ts';
import type { Catalog } from './text/catalog.ts';
import { chooseLocale, type Locale, loadCatalog } from './text/locale.ts';

/** What the global options said. */
export interface GlobalOptions {
  readonly json: boolean;
  readonly project: string | undefined;
  readonly lang: string | undefined;
  readonly noColor: boolean;
}

/** One run of one command: where it works, how it speaks, and when it must stop. */
export interface Session {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly json: boolean;
  readonly locale: Locale;
  readonly text: Catalog;
  readonly project: Project;
  readonly folder: StateFolder;
  /** Aborts with the error `interrupted`. */
  readonly signal: AbortSignal;
  /** Whether a JSON document stands on standard output already. */
  readonly printed: boolean;
  /** Loads the configuration. Throws `config_invalid`. */
  config(flags?: Readonly<Record<string, unknown>>): Promise<LoadedConfig>;
  /** Prints the result: the document with `--json`, else the text. */
  print(document: unknown, human: () => string): void;
  /** Prints one item of a stream: a JSON line with `--json`, else the text. */
  printItem(item: unknown, human: () => string): void;
  /** Tells people something on standard error. */
  note(text: string): void;
}

async function configuredLanguage(
  project: Project,
  cwd: string,
  env: NodeJS.ProcessEnv,
): Promise<Config['language'] | undefined> {
  if (project.file === null && env.ELDERS_LANGUAGE === undefined) return undefined;
  try {
    const { loadConfig } = await import('./config/load-config.ts');
    return loadConfig({ cwd, env, project: project.folder }).config.language;
  } catch {
    // A broken configuration is reported by the commands that need it; `down` must work all the same.
    return undefined;
  }
}

/** Prepares the run of a command. Throws `usage` if `--project` names no folder. */
export async function openSession(options: GlobalOptions, signal: AbortSignal): Promise<Session> {
  const cwd = process.cwd();
  const { env } = process;
  const { json } = options;
  // What styles text and what a child prints look at the variable.
  if (options.noColor) env.NO_COLOR = '1';
  if (options.project === '') throw new ElderError('usage', '--project is empty');
  const project = options.project === undefined ? findProject(cwd) : projectAt(resolve(cwd, options.project));
  const locale = chooseLocale(options.lang, await configuredLanguage(project, cwd, env), env);
  let printed = false;
  const write = (text: string) => process.stdout.write(text);
  return {
    cwd,
    env,
    json,
    locale,
    text: await loadCatalog(locale),
    project,
    folder: stateFolder(project.folder),
    signal,
    get printed() {
      return printed;
    },
    async config(flags) {
      const { loadConfig } = await import('./config/load-config.ts');
      return loadConfig({ cwd, env, project: project.folder, ...(flags ? { flags } : {}) });
    },
    print(document, human) {
      if (json && printed) throw new Error('a command prints one document only');
      printed = true;
      write(json ? `${JSON.stringify(document, null, 2)}\n` : human());
    },
    printItem(item, human) {
      printed = true;
      write(json ? `${JSON.stringify(item)}\n` : human());
    },
    note(text) {
      process.stderr.write(`${text}\n`);
    },
  };
}

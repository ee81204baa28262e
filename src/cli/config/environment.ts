import type { Problem } from '../../protocol/document.ts';
import { nearest } from '../../protocol/nearest.ts';
import { type Setting, settings } from './settings.ts';

/** Variables of this program that are no settings. */
const otherVariables = ['ELDERS_NODE', 'ELDERS_TASK_ID', 'ELDERS_DIRECTIVE_ID', 'ELDERS_ATTEMPT'];

const prefix = 'ELDERS_';

function withoutPrefix(name: string): string {
  return name.slice(prefix.length);
}

/** A setting with a value from outside the file. */
export interface Override {
  readonly setting: Setting;
  readonly value: unknown;
  /** Where it came from: a variable or a flag. */
  readonly source: string;
}

function convert(setting: Setting, text: string): unknown {
  // What cannot be converted stays text, so that the schema says what it expected.
  if (setting.kind === 'number')
    return text.trim() !== '' && !Number.isNaN(Number(text)) ? Number(text) : text;
  if (setting.kind === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  if (setting.kind === 'list') return text.split(',').filter((item) => item !== '');
  return setting.kind === 'mapping' ? parseMapping(text) : text;
}

function parseMapping(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Reads the settings that stand in the environment; `ELDERS_` variables that mean nothing are problems. */
export function readEnvironment(env: NodeJS.ProcessEnv): { overrides: Override[]; problems: Problem[] } {
  const overrides: Override[] = [];
  const problems: Problem[] = [];
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith(prefix) || !text || otherVariables.includes(name)) continue;
    const setting = settings().find(({ variable }) => variable === name);
    if (setting) overrides.push({ setting, value: convert(setting, text), source: name });
    else {
      const bare = [...settings().map(({ variable }) => variable), ...otherVariables].map(withoutPrefix);
      const near = nearest(withoutPrefix(name), bare);
      const hint = near === undefined ? '' : `; did you mean "${prefix}${near}"?`;
      const message = `unknown variable "${name}"${hint}`;
      problems.push({ path: name, line: 0, column: 0, code: 'unknown_key', message });
    }
  }
  return { overrides, problems };
}

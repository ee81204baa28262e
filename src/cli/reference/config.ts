import { settings } from '../config/settings.ts';
import { code, madeFromCode, markdownTable } from './markdown.ts';

function shownDefault(value: unknown): string {
  return value === undefined ? '' : code(typeof value === 'string' ? value : JSON.stringify(value));
}

/** Makes `config.md` from the schema of `elders.yaml`. */
export function configReference(): string {
  const rows = settings().map(({ path, variable, values, minimum, maximum, fallback, description }) => {
    const range =
      minimum === undefined ? '' : maximum === undefined ? `≥ ${minimum}` : `${minimum}–${maximum}`;
    const allowed = values ? values.map(code).join(', ') : range;
    return [code(path.join('.')), code(variable), shownDefault(fallback), allowed, description];
  });
  const intro =
    'Every key of `elders.yaml`, which is found upward from the working folder. A flag goes before a variable,\na variable before the file, the file before the default. Durations are written `500ms`, `30s`, `10m`, `2h`, `1d`;\nlists in variables are separated by commas, mappings are JSON; relative paths are seen from the folder of the file. An unknown key or\nan unknown `ELDERS_*` variable is an error. `elders config print` shows what is in effect and why.\n';
  const table = markdownTable(['key', 'variable', 'default', 'allowed', 'meaning'], rows);
  return `${madeFromCode}# Configuration\n\n${intro}\n${table}`;
}

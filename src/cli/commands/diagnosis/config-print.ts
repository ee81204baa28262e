import { maskSecrets } from '../../config/mask-secrets.ts';
import type { Session } from '../../session.ts';
import { oneLine } from '../../text/printable.ts';
import { renderTable } from '../../text/table.ts';

/** Prints the effective configuration and the source of each value; passwords are masked. Throws `config_invalid`. */
export async function run(session: Session): Promise<void> {
  const { project, config, values } = await session.config();
  const settings = values.map(({ setting, value, source }) => ({
    key: setting.path.join('.'),
    value: maskSecrets(value),
    source,
  }));
  const document = { project: project.folder, file: project.file, config: maskSecrets(config), settings };
  session.print(document, () => {
    const shown = (value: unknown) => oneLine(typeof value === 'string' ? value : JSON.stringify(value));
    const rows = settings.map(({ key, value, source }) => [key, shown(value), source]);
    return `# ${project.file ?? project.folder}\n${renderTable(rows)}`;
  });
}

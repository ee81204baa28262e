import { rightsMatrix } from '../../../protocol/rights.ts';
import type { Session } from '../../session.ts';
import { renderTable } from '../../text/table.ts';

/** Prints who holds what, and every action that somebody may send to somebody. */
export async function run(session: Session): Promise<void> {
  const matrix = rightsMatrix();
  session.print(matrix, () => {
    const { holderHead, rightHead, everybody, note } = session.text.auth;
    const common = matrix.everyone.map(({ permission }) => permission).join(', ');
    const holders = matrix.holders.map(({ name, permissions, duties }) => [
      name,
      permissions.join(', ') || '-',
      duties.join(', ') || '-',
    ]);
    const rights = matrix.rights.map(({ from, to, action, permission, delegated }) => [
      from,
      to,
      action,
      permission,
      delegated ? '*' : '',
    ]);
    return `${renderTable([holderHead, ...holders, [everybody, common, '-']])}\n${renderTable([rightHead, ...rights])}\n${note}\n`;
  });
}

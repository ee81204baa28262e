import type { ElderSpec, Role } from '../protocol/roster.ts';

/** The order in which the roles of a tree start; those of one level start side by side. */
const order: readonly Role[] = ['grand_elder', 'claude_elder', 'sage', 'council', 'servant'];

/** Groups elders into the levels in which they start; they stop in the reverse. */
export function startLevels<T extends Pick<ElderSpec, 'role'>>(elders: readonly T[]): T[][] {
  return order
    .map((role) => elders.filter((elder) => elder.role === role))
    .filter((level) => level.length > 0);
}

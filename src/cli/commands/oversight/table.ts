import { auditKinds } from '../../../protocol/audit.ts';
import type { CommandSpec } from '../../command-spec.ts';
import { count, id, reason } from '../shared-options.ts';

/** The commands about halts, approvals, rights and the audit log. */
export const oversightCommands: readonly CommandSpec[] = [
  {
    path: 'emergency halt',
    arguments: [{ name: 'id', required: false }],
    options: [reason],
    load: () => import('./emergency-halt.ts'),
  },
  {
    path: 'emergency resume',
    arguments: [{ name: 'id', required: false }],
    options: [reason],
    load: () => import('./emergency-resume.ts'),
  },
  {
    path: 'approvals',
    arguments: [],
    options: [{ name: 'all' }],
    load: () => import('./approvals.ts'),
  },
  {
    path: 'approve',
    arguments: [id],
    options: [reason, { name: 'digest', value: { placeholder: 'SHA256', kind: 'text' } }],
    load: () => import('./approve.ts'),
  },
  {
    path: 'deny',
    arguments: [id],
    options: [reason, { name: 'digest', value: { placeholder: 'SHA256', kind: 'text' } }],
    load: () => import('./deny.ts'),
  },
  {
    path: 'auth can-i',
    arguments: [{ name: 'action', required: true }],
    options: [
      { name: 'as', value: { placeholder: 'NAME', kind: 'text' } },
      { name: 'to', value: { placeholder: 'NAME', kind: 'text' } },
      { name: 'on-behalf-of', value: { placeholder: 'NAMES', kind: 'text' } },
    ],
    load: () => import('./auth-can-i.ts'),
  },
  { path: 'auth matrix', arguments: [], options: [], load: () => import('./auth-matrix.ts') },
  {
    path: 'audit list',
    arguments: [],
    options: [
      { name: 'since', value: { placeholder: 'WHEN', kind: 'text' } },
      { name: 'kind', value: { placeholder: 'KIND', kind: 'text', choices: auditKinds } },
      count('limit', 1_000_000),
    ],
    load: () => import('./audit-list.ts'),
  },
  { path: 'audit verify', arguments: [], options: [], load: () => import('./audit-verify.ts') },
];

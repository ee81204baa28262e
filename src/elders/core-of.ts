import type { Core } from '../agents/core.ts';
import type { Config } from '../protocol/config.ts';
import { ElderError } from '../protocol/errors.ts';
import { isServant } from '../protocol/roster.ts';
import { claudeElder } from './claude/claude-elder.ts';
import { elderCouncil } from './council/elder-council.ts';
import { grandElder } from './grand/grand-elder.ts';
import { incidentSage } from './incident/incident-sage.ts';
import { knowledgeSage } from './knowledge/knowledge-sage.ts';
import { ragSage } from './rag/rag-sage.ts';
import { servant } from './servant/servant.ts';
import { taskSage } from './task/task-sage.ts';

const cores: Readonly<Record<string, (config: Config) => Core>> = {
  grand_elder: grandElder,
  claude_elder: claudeElder,
  knowledge_sage: () => knowledgeSage(),
  task_sage: taskSage,
  rag_sage: ragSage,
  incident_sage: incidentSage,
  elder_council: elderCouncil,
};

/** Makes the core of any elder; all of them are loaded with this file. Throws `not_found` for a name that is not in the roster. */
export function coreOf(name: string, config: Config): Core {
  if (isServant(name)) return servant();
  const make = cores[name];
  if (!make) throw new ElderError('not_found', `no elder is called ${name}`);
  return make(config);
}

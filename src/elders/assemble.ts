import { join } from 'node:path';
import type { Core } from '../agents/core.ts';
import type { Part, PartTools } from '../agents/process/elder-process.ts';
import type { Config } from '../protocol/config.ts';
import { ElderError } from '../protocol/errors.ts';
import { isServant } from '../protocol/roster.ts';
import { claudeElder } from './claude/claude-elder.ts';
import { elderCouncil } from './council/elder-council.ts';
import { grandElder } from './grand/grand-elder.ts';
import { incidentSage } from './incident/incident-sage.ts';
import type { IndexEffect } from './knowledge/finders/index-finder.ts';
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

/** Makes the core of an elder. Throws `not_found` for a name that is not in the roster. */
export function coreOf(name: string, config: Config): Core {
  if (isServant(name)) return servant();
  const make = cores[name];
  if (!make) throw new ElderError('not_found', `no elder is called ${name}`);
  return make(config);
}

/** Assembles an elder as a part of a process, with what it does outside Redis. */
export async function elderPart(name: string, { folder, order, log }: PartTools): Promise<Part> {
  const { config } = order;
  const core = coreOf(name, config);
  if (name === 'rag_sage') {
    const { RagExecutor } = await import('./rag/rag-executor.ts');
    const executor = new RagExecutor({ folder, config, log });
    return {
      principal: name,
      core,
      perform: (effect, agent) => executor.perform(effect, agent),
      open: async () => () => executor.close(),
    };
  }
  if (name === 'knowledge_sage') {
    const { dictionaryPathOf } = await import('./search/language/dictionary-file.ts');
    const { IndexFinder } = await import('./knowledge/finders/index-finder.ts');
    const dictionaryPath = dictionaryPathOf(folder, config.search);
    const finder = new IndexFinder({ path: join(folder.index, 'knowledge.sqlite'), dictionaryPath, log });
    return {
      principal: name,
      core: knowledgeSage(finder),
      perform: (effect) => finder.perform(effect as unknown as IndexEffect),
      open: async () => async () => finder.close(),
    };
  }
  if (!isServant(name)) return { principal: name, core };
  const { Executor } = await import('./servant/executor.ts');
  const executor = new Executor({ name, folder, config, log });
  return { principal: name, core, perform: (effect, agent) => executor.perform(effect, agent) };
}

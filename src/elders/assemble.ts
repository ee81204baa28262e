import { join } from 'node:path';
import type { Core } from '../agents/core.ts';
import type { Part, PartTools } from '../agents/process/elder-process.ts';
import type { Config } from '../protocol/config.ts';
import { ElderError } from '../protocol/errors.ts';
import { isServant } from '../protocol/roster.ts';
import type { IndexEffect } from './knowledge/finders/index-finder.ts';

type MakeCore = (config: Config) => Core;

const cores: Readonly<Record<string, () => Promise<MakeCore>>> = {
  grand_elder: async () => (await import('./grand/grand-elder.ts')).grandElder,
  claude_elder: async () => (await import('./claude/claude-elder.ts')).claudeElder,
  knowledge_sage: async () => {
    const { knowledgeSage } = await import('./knowledge/knowledge-sage.ts');
    return () => knowledgeSage();
  },
  task_sage: async () => (await import('./task/task-sage.ts')).taskSage,
  rag_sage: async () => (await import('./rag/rag-sage.ts')).ragSage,
  incident_sage: async () => (await import('./incident/incident-sage.ts')).incidentSage,
  elder_council: async () => (await import('./council/elder-council.ts')).elderCouncil,
};

const loadServant = async (): Promise<MakeCore> => (await import('./servant/servant.ts')).servant;

function loaderOf(name: string): () => Promise<MakeCore> {
  const load = isServant(name) ? loadServant : cores[name];
  if (!load) throw new ElderError('not_found', `no elder is called ${name}`);
  return load;
}

/** Loads the core of one elder and none of the others'. Rejects with `not_found` for a name that is not in the roster. */
export async function loadCore(name: string): Promise<MakeCore> {
  return loaderOf(name)();
}

/** Loads the cores of all elders, and gives what makes any of them, which throws `not_found` as `loadCore` rejects. */
export async function loadAllCores(): Promise<(name: string, config: Config) => Core> {
  const loaders = [...Object.values(cores), loadServant];
  const loaded = new Map(await Promise.all(loaders.map(async (load) => [load, await load()] as const)));
  return (name, config) => (loaded.get(loaderOf(name)) as MakeCore)(config);
}

/** Assembles an elder as a part of a process, with what it does outside Redis. */
export async function elderPart(name: string, { folder, order, log }: PartTools): Promise<Part> {
  const { config } = order;
  const core = (await loadCore(name))(config);
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
    const { knowledgeSage } = await import('./knowledge/knowledge-sage.ts');
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

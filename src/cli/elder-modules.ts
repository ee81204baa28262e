import { flushCompileCache } from 'node:module';

// Loads what the processes of elders load, and nothing else, so that it is in the compile cache afterwards.
await Promise.all([
  import('./elder-program.ts'),
  import('../agents/process/rehearsal.ts'),
  import('../elders/assemble.ts').then(({ loadAllCores }) => loadAllCores()),
  import('../elders/servant/executor.ts'),
  import('../elders/rag/rag-executor.ts'),
  import('../elders/knowledge/finders/index-finder.ts'),
  import('../gateway/gateway-part.ts'),
  import('../protocol/directive-file.ts'),
  import('../telemetry/prometheus-text.ts'),
]);
flushCompileCache();

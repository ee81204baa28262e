import { flushCompileCache } from 'node:module';

// Loads what the processes of elders load, and nothing else, so that it is in the compile cache afterwards.
await Promise.all([
  import('./elder-program.ts'),
  import('../elders/assemble.ts'),
  import('../elders/servant/executor.ts'),
  import('../elders/rag/rag-executor.ts'),
  import('../elders/knowledge/finders/index-finder.ts'),
  import('../gateway/gateway-part.ts'),
]);
flushCompileCache();

import type { Bootstrapping } from '../agents/process/bootstrap.ts';
import { type PartTools, runElderProcess } from '../agents/process/elder-process.ts';
import { giveMemoryBack, giveMemoryBackWhenIdle } from '../agents/process/idle-memory.ts';
import { elderPart, loadAllCores, loadCore } from '../elders/assemble.ts';
import { defaultConfig } from '../protocol/config.ts';
import { isServant } from '../protocol/roster.ts';
import { sparePrefix } from '../protocol/start-channel.ts';

/**
 * Runs this process as the elder of that name, or as a spare for elders like it, and ends it; only the manager
 * starts it.
 */
export async function runElderProgram(given: string, manager: Bootstrapping): Promise<void> {
  const isSpare = given.startsWith(sparePrefix);
  const like = isSpare ? given.slice(sparePrefix.length).replace(/[+]\d+$/, '') : given;
  // Loaded before the process says that it waits for its orders, so that it can follow them at once.
  if (isServant(like)) await import('../elders/servant/executor.ts');
  if (like === 'grand_elder') await import('../gateway/gateway-part.ts');
  if (isSpare) {
    // Of whichever elder it may become.
    const [coreOf, { rehearse }] = await Promise.all([
      loadAllCores(),
      import('../agents/process/rehearsal.ts'),
    ]);
    await rehearse(coreOf(like, defaultConfig));
    giveMemoryBack();
  } else await loadCore(like);
  const assemble = async (tools: PartTools, name: string) => {
    const parts = [await elderPart(name, tools)];
    if (name === 'grand_elder') {
      const { gatewayPart } = await import('../gateway/gateway-part.ts');
      parts.push(gatewayPart(tools));
    }
    return parts;
  };
  giveMemoryBackWhenIdle(manager.isCalm);
  const code = await runElderProcess(manager, assemble, { mayWait: isSpare });
  process.exit(code);
}

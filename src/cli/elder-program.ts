import { runElderProcess } from '../agents/process/elder-process.ts';
import { rehearse } from '../agents/process/rehearsal.ts';
import { coreOf, elderPart } from '../elders/assemble.ts';
import { sparePrefix } from '../protocol/bootstrap.ts';
import { defaultConfig } from '../protocol/config.ts';
import { isServant } from '../protocol/roster.ts';

/**
 * Runs this process as the elder of that name, or as a spare for elders like it, and ends it; only the manager
 * starts it.
 */
export async function runElderProgram(given: string): Promise<void> {
  const isSpare = given.startsWith(sparePrefix);
  const like = isSpare ? given.slice(sparePrefix.length).replace(/[+]\d+$/, '') : given;
  // Loaded before the process says that it waits for its orders, so that it can follow them at once.
  if (isServant(like)) await import('../elders/servant/executor.ts');
  if (like === 'grand_elder') await import('../gateway/gateway-part.ts');
  if (isSpare) await rehearse(coreOf(like, defaultConfig));
  const code = await runElderProcess(isSpare ? null : given, async (tools, name) => {
    const parts = [await elderPart(name, tools)];
    if (name === 'grand_elder') {
      const { gatewayPart } = await import('../gateway/gateway-part.ts');
      parts.push(gatewayPart(tools));
    }
    return parts;
  });
  process.exit(code);
}

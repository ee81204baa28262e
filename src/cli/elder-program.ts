import { runElderProcess } from '../agents/process/elder-process.ts';
import { elderPart } from '../elders/assemble.ts';
import { isServant } from '../protocol/roster.ts';

/** Runs this process as the elder of that name, and ends it; only the manager starts it. */
export async function runElderProgram(name: string): Promise<void> {
  // Loaded before the process says that it waits for its orders, so that it can follow them at once.
  if (isServant(name)) await import('../elders/servant/executor.ts');
  if (name === 'grand_elder') await import('../gateway/gateway-part.ts');
  const code = await runElderProcess(name, async (tools) => {
    const parts = [await elderPart(name, tools)];
    if (name === 'grand_elder') {
      const { gatewayPart } = await import('../gateway/gateway-part.ts');
      parts.push(gatewayPart(tools));
    }
    return parts;
  });
  process.exit(code);
}

import { runElderProcess } from '../agents/process/elder-process.ts';
import { elderPart } from '../elders/assemble.ts';

/** Runs this process as the elder of that name, and ends it; only the manager starts it. */
export async function runElderProgram(name: string): Promise<void> {
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

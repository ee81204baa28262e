/**
 * An elder as it is, which goes wrong at SIGUSR2: it burns its processor, floods its edges, or leaks memory. Which of
 * these stands before its name in the arguments. All but the burning ends at the next SIGUSR2.
 */
import { setTimeout as delay, setImmediate } from 'node:timers/promises';
import type { Agent } from '../../src/agents/agent.ts';
import type { Core } from '../../src/agents/core.ts';
import { beginBootstrap } from '../../src/agents/process/bootstrap.ts';
import { runElderProcess } from '../../src/agents/process/elder-process.ts';
import { elderPart } from '../../src/elders/assemble.ts';

const [, , fault = '', name = ''] = process.argv;
const questionsAtOnce = 64;
const leakBytes = 8_000_000;
const hoard: Buffer[] = [];
let isOn = false;

/** Adds what asks the incident sage more than anybody needs to know. */
function flooding(core: Core): Core {
  return {
    ...core,
    continuations: { ...core.continuations, flooded: () => undefined },
    onInput(ctx, input) {
      if (input.kind !== 'flood') return core.onInput?.(ctx, input);
      for (let count = 0; count < questionsAtOnce; count += 1) {
        ctx.ask(
          'incident_sage',
          'sage.incident.list',
          {},
          { deadlineMs: 5_000, then: 'flooded', data: null },
        );
      }
      return null;
    },
  };
}

const goWrong: Readonly<Record<string, (agent: Agent) => Promise<unknown>>> = {
  async burn() {
    for (;;);
  },
  flood: (agent) => agent.input({ kind: 'flood' }),
  async leak() {
    hoard.push(Buffer.alloc(leakBytes, 1));
    await delay(20);
  },
};

async function misbehave(agent: Agent): Promise<void> {
  while (isOn) await goWrong[fault]?.(agent).catch(() => setImmediate());
}

const code = await runElderProcess(beginBootstrap(name), async (tools) => {
  const part = await elderPart(name, tools);
  const open = async (agent: Agent) => {
    process.on('SIGUSR2', () => {
      isOn = !isOn;
      void misbehave(agent);
    });
    return async () => {
      isOn = false;
    };
  };
  return [{ ...part, core: flooding(part.core), open }];
});
process.exit(code);

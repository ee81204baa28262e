import type { Part, PartTools } from '../agents/process/elder-process.ts';
import { Events } from './events.ts';
import { Gateway } from './gateway.ts';
import { gatewayCore } from './gateway-core.ts';
import { GatewayServer } from './gateway-server.ts';

/** Assembles the gateway as a part of the grand elder's process. */
export function gatewayPart({ folder, log }: PartTools): Part {
  const gateway = new Gateway();
  const events = new Events();
  const server = new GatewayServer(gateway, events, log.child({ part: 'gateway' }));
  return {
    principal: 'gateway',
    core: gatewayCore(),
    perform: (effect) => gateway.perform(effect),
    open: async (agent, broker) => {
      gateway.attach(agent);
      events.open(broker);
      await server.listen(folder.gatewaySocket);
      return async () => {
        await server.close();
        await events.close();
      };
    },
  };
}

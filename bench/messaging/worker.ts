import type { Endpoint, EndpointConfig } from './endpoint.ts';

// One process of a contestant: opens its end, then carries out what the benchmark asks for over the IPC channel.
interface Call {
  readonly id: number;
  readonly method: keyof Endpoint | 'open';
  readonly argument: unknown;
}

let endpoint: Endpoint | null = null;

async function open(config: EndpointConfig): Promise<Endpoint> {
  switch (config.contestant) {
    case 'elders':
      return (await import('./elder-endpoint.ts')).openElder(config);
    case 'bare':
      return (await import('./bare-endpoint.ts')).openBare(config);
    case 'bullmq':
      return (await import('./bullmq-endpoint.ts')).openBullmq(config);
  }
}

async function carryOut({ method, argument }: Call): Promise<unknown> {
  if (method === 'open') {
    endpoint = await open(argument as EndpointConfig);
    return undefined;
  }
  if (!endpoint) throw new Error('not open');
  return (endpoint[method] as (given: unknown) => Promise<unknown>)(argument);
}

process.on('message', (call: Call) => {
  carryOut(call).then(
    (result) => process.send?.({ id: call.id, result }),
    (error) => process.send?.({ id: call.id, error: String(error?.stack ?? error) }),
  );
});
process.on('disconnect', () => process.exit(0));

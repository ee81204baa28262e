import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A way to a port that can be cut or made deaf, to lose what a real network loses. */
export interface TcpProxy {
  readonly port: number;
  /** From now on requests go through and answers do not. */
  holdAnswers(): void;
  /** From now on nothing goes through, and no connection is closed either. */
  goDeaf(): void;
  /** Ends every connection; new ones work as at the start, to another port if one is given. */
  cut(target?: number): void;
  close(): Promise<void>;
}

/** Listens on a free port and passes everything to another port of this host. */
export async function startTcpProxy(firstTarget: number): Promise<TcpProxy> {
  let target = firstTarget;
  const sockets = new Set<Socket>();
  let mode: 'pass' | 'hold' | 'deaf' = 'pass';
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        if (mode === 'pass') (socket === near ? far : near).destroy();
      });
    }
    near.on('data', (chunk) => mode !== 'deaf' && far.write(chunk));
    far.on('data', (chunk) => mode === 'pass' && near.write(chunk));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const destroyAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    holdAnswers: () => {
      mode = 'hold';
    },
    goDeaf: () => {
      mode = 'deaf';
    },
    cut(next = target) {
      target = next;
      mode = 'pass';
      destroyAll();
    },
    async close() {
      server.close();
      destroyAll();
      await once(server, 'close');
    },
  };
}

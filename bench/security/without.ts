/**
 * Loaded into a process of the benchmark before its program: takes out what the query of its own URL names, so that
 * the rest is what it costs. `plainPort=N` speaks without TLS to that port; `checks` asks for no right.
 */
import { registerHooks, syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import tls from 'node:tls';

const parts = new URL(import.meta.url).searchParams;

const port = Number(parts.get('plainPort') ?? 0);
if (port > 0) {
  const connect = ({ host }: tls.ConnectionOptions) => {
    const socket = net.connect({ host: host ?? '127.0.0.1', port });
    socket.once('connect', () => socket.emit('secureConnect'));
    return socket;
  };
  tls.connect = connect as unknown as typeof tls.connect;
  syncBuiltinESMExports();
}

const verdicts = /export function (maySend|maySendFor|mayPerform)\([^)]*\): Verdict \{/g;
if (parts.has('checks')) {
  registerHooks({
    load(url, context, next) {
      const loaded = next(url, context);
      if (!url.endsWith('/src/protocol/permissions.ts') || !loaded.source) return loaded;
      const source = loaded.source.toString();
      if ((source.match(verdicts) ?? []).length !== 3)
        throw new Error('the checks of rights are not where they were');
      return { ...loaded, source: source.replace(verdicts, "$& return { allowed: true, rule: '' };") };
    },
  });
}

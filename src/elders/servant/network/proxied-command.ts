/** Where the sandbox shows the socket of the proxy, and Node. */
const socketInside = '/run/elders/hosts.sock';
const nodeInside = '/run/elders/node';

const port = 3128;

/** Joins a port of the sandbox's own loopback, which programs can be told of, to the socket of the proxy. */
const forwarder = `
const net = require('node:net');
net.createServer((client) => {
  const proxy = net.connect('${socketInside}');
  for (const [one, other] of [[client, proxy], [proxy, client]]) {
    one.on('error', () => other.destroy());
    one.pipe(other);
  }
}).listen(${port}, '127.0.0.1', () => process.stdout.write('ready\\n'));`;

/** Waits for the forwarder, which must not hold the command's output open, and becomes the command. */
const launcher = `
  fifo=/tmp/.elders-$$
  mkfifo -m 600 "$fifo" || exit 125
  env -u NODE_OPTIONS ${nodeInside} -e "$1" > "$fifo" 2>/dev/null < /dev/null &
  read -r word < "$fifo" || exit 125
  rm -f "$fifo"
  shift
  exec "$@"`;

/** Puts a program before a command that leads its proxy variables to the proxy. */
export function proxiedCommand(command: readonly string[]): string[] {
  return ['/bin/sh', '-c', launcher, 'elders-network', forwarder, ...command];
}

/** Gives bubblewrap's arguments that show the proxy at `socketPath` and what forwards to it; they come after `/run`. */
export function proxyArguments(socketPath: string): string[] {
  return ['--bind', socketPath, socketInside, '--ro-bind', process.execPath, nodeInside];
}

/** Gives the variables by which programs find the proxy. */
export function proxyEnvironment(): Record<string, string> {
  const url = `http://127.0.0.1:${port}`;
  const names = ['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'];
  const own = {
    NO_PROXY: 'localhost,127.0.0.1,::1',
    no_proxy: 'localhost,127.0.0.1,::1',
    NODE_USE_ENV_PROXY: '1',
  };
  return { ...Object.fromEntries(names.map((name) => [name, url])), ...own };
}

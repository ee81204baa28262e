import { asElderError } from '../protocol/errors.ts';
import { exitCodes } from '../protocol/exit-codes.ts';
import { errorDocument, errorText, exitCodeOf } from './report-error.ts';
import type { Session } from './session.ts';
import { chooseLocale, type Locale, loadCatalog } from './text/locale.ts';

function wordAfter(argv: readonly string[], option: string): string | undefined {
  const joined = argv.find((word) => word.startsWith(`${option}=`));
  const at = argv.indexOf(option);
  return joined?.slice(option.length + 1) ?? (at < 0 ? undefined : argv[at + 1]);
}

function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return argv.slice(0, end < 0 ? undefined : end).includes('--json');
}

async function serve(argv: readonly string[]): Promise<number> {
  const locale: Locale = chooseLocale(wordAfter(argv, '--lang'), undefined, process.env);
  let session: Session | undefined;
  let streams = false;
  try {
    const [{ parseCommandLine }, { packageVersion }] = await Promise.all([
      import('./program.ts'),
      import('./version.ts'),
    ]);
    const request = parseCommandLine(argv, await loadCatalog(locale), packageVersion());
    if (request === null) return exitCodes.ok;
    const { openSession } = await import('./session.ts');
    const { spec, input, globals } = request;
    const { abortOnSignals } = await import('./signals.ts');
    const signal = spec.ownSignals ? new AbortController().signal : abortOnSignals();
    session = await openSession(globals, signal);
    const { run } = await spec.load();
    const interrupted = Promise.withResolvers<never>();
    signal.addEventListener('abort', () => interrupted.reject(signal.reason), { once: true });
    streams = spec.streams === true;
    return (await Promise.race([run(session, input), interrupted.promise])) ?? exitCodes.ok;
  } catch (thrown) {
    const error = asElderError(thrown);
    const spoken = session?.locale ?? locale;
    if (wantsJson(argv) && (streams || session?.printed !== true)) {
      process.stdout.write(`${JSON.stringify(errorDocument(error, spoken), null, streams ? 0 : 2)}\n`);
    }
    process.stderr.write(errorText(error, spoken));
    if (error.code === 'internal' && error.cause instanceof Error)
      process.stderr.write(`${error.cause.stack}\n`);
    return exitCodeOf(error);
  }
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write('', () => resolve()));
}

/** Runs `elders` with the arguments of this process and ends the process. */
async function main(): Promise<void> {
  const [command, name] = process.argv.slice(2);
  // The processes of the tree start through here too, and start faster without the command line.
  if (command === 'elder' && name !== undefined) {
    const [{ beginBootstrap }, { sparePrefix }] = await Promise.all([
      import('../agents/process/bootstrap.ts'),
      import('../protocol/start-channel.ts'),
    ]);
    // The manager sees to the certificate and the rights of this process while that loads its program.
    const manager = beginBootstrap(name.startsWith(sparePrefix) ? null : name);
    const { runElderProgram } = await import('./elder-program.ts');
    await runElderProgram(name, manager);
    return;
  }
  // A reader that has seen enough, such as `head`, is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? exitCodes.ok : exitCodes.failed);
  });
  process.stderr.on('error', () => {});
  const code = await serve(process.argv.slice(2));
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  process.exit(code);
}

await main();

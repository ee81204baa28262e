/** Runs a manager of fixture elders for the project in argv, with the config on standard input; prints its events. */
import { writeSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { runManager } from '../../src/supervision/manager/manager.ts';
import { fixtureLaunch } from './fixture-launch.ts';

const print = (line: unknown) => writeSync(1, `${JSON.stringify(line)}\n`);
// What nobody handles, as a bug would leave it.
process.on('SIGUSR2', () => void Promise.reject(new Error('planted by a test')));
const config = JSON.parse(await text(process.stdin));
try {
  const manager = await runManager({
    project: process.argv[2] as string,
    config,
    version: '0.0.0-test',
    launch: fixtureLaunch,
    ownsProcess: true,
    onEvent: print,
  });
  await manager.done;
} catch (error) {
  print({ kind: 'failed', name: null, error: { reason: String(error) } });
  process.exitCode = 1;
}

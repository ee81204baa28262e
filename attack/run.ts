import { parseArgs } from 'node:util';
import { runAttack } from './attack.ts';

const { values } = parseArgs({
  options: {
    servants: { type: 'string', default: '2' },
    as: { type: 'string', multiple: true },
  },
});
const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(name, () => stop.abort(new Error(`stopped by ${name}`)));
}
const say = (text: string) => void process.stderr.write(`${text}\n`);

const report = await runAttack({
  servants: Number(values.servants),
  ...(values.as && { identities: values.as }),
  say,
  signal: stop.signal,
});
for (const [part, { attempts, denied }] of Object.entries(report.parts)) {
  say(`${part.padEnd(14)} ${String(attempts).padStart(7)} attempts ${String(denied).padStart(7)} denied`);
}
say(`${'in all'.padEnd(14)} ${report.attempts} attempts, ${report.denied} denied, ${report.audited} audited`);
say(`${report.controls} positive controls, ${report.failedControls.length} failed`);
for (const [title, lines] of [
  ['GOT THROUGH', report.breaches],
  ['FAILED CONTROL', report.failedControls],
  ['NOT AUDITED', report.missing],
  ['UNEXPLAINED', report.unexplained],
] as const) {
  for (const line of lines) say(`${title}: ${line}`);
}
process.stdout.write(`${JSON.stringify(report)}\n`);
process.exitCode = report.ok ? 0 : 1;

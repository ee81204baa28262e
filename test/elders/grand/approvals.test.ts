import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { digestOf } from '../../../src/elders/grand/approvals.ts';
import { grandElder } from '../../../src/elders/grand/grand-elder.ts';
import { assessRisk } from '../../../src/elders/grand/risk.ts';
import type { Action, PayloadInput } from '../../../src/protocol/actions.ts';
import type { ApprovalRecord } from '../../../src/protocol/approval.ts';
import { canonicalJson } from '../../../src/protocol/canonical-json.ts';
import { type Config, configSchema } from '../../../src/protocol/config.ts';
import type { DirectiveRecord, DirectiveSpec } from '../../../src/protocol/directive.ts';
import { directive, task } from '../../support/directive.ts';
import { MemoryTree } from '../../support/memory-tree.ts';

const self = 'grand_elder';
const config = configSchema.parse({ strategy: { approvalExpiry: '1h', manyTasks: 3 } });
const risky: DirectiveSpec = { ...directive([task('a')]), risk: 'high' };

let tree: MemoryTree;
beforeEach(async () => {
  tree = new MemoryTree();
  await tree.start(self, grandElder(config));
});

/** Asks as the gateway does; gives the result or the code of the error. */
async function ask<A extends Action>(action: A, payload: PayloadInput<A>): Promise<unknown> {
  await tree.send(tree.message('gateway', self, action, payload));
  const { result, code } = tree.sent(self, 'gateway').at(-1)?.payload ?? {};
  return code ?? result;
}

const submit = (spec = risky, directiveId = 'd') =>
  ask('development.directive.submit', { directiveId, directive: spec }) as Promise<DirectiveRecord>;
const show = () => ask('development.directive.show', { directiveId: 'd' }) as Promise<DirectiveRecord>;
const decide = (
  decision: 'approve' | 'deny',
  approvalId: string,
  more: { digest?: string; reason?: string } = {},
) => ask('approval.decide', { approvalId, decision, ...more });
const approvals = async () => ((await ask('approval.list', {})) as { approvals: ApprovalRecord[] }).approvals;
const executions = () => tree.sentAs(self, 'claude_elder', 'development.directive.execute');
const audited = () =>
  tree
    .sentAs(self, 'auditor', 'audit.report')
    .flatMap(({ payload }) => payload.entries as { kind: string; event: string; subject: string }[])
    .map(({ kind, event, subject }) => [kind, event, subject]);

async function waiting(): Promise<string> {
  const { state, approval } = await submit();
  assert.equal(state, 'waiting_approval');
  assert.deepEqual(approval?.reasons, ['the directive says that its risk is high']);
  assert.deepEqual(executions(), []);
  return approval?.id as string;
}

test('what is riskier than the strategy allows waits; approved, it is carried out once, on the human’s behalf', async () => {
  const id = await waiting();
  const [listed] = await approvals();
  const decided = (await decide('approve', id, { digest: listed?.digest as string })) as ApprovalRecord;
  assert.deepEqual([decided.state, decided.decidedBy], ['approved', 'gateway']);
  assert.equal((await show()).state, 'accepted');
  assert.equal((await show()).approval, null);
  assert.deepEqual(
    executions().map(({ payload, on_behalf_of }) => [payload.directive, on_behalf_of]),
    [[risky, ['gateway']]],
  );
  assert.deepEqual(audited(), [
    ['approval', 'asked', self],
    ['approval', 'approved', 'gateway'],
  ]);
});

test('an approval is good for one time, and a decision stands', async () => {
  const id = await waiting();
  await decide('approve', id);
  assert.equal(await decide('approve', id), 'conflict');
  assert.equal(await decide('deny', id), 'conflict');
  // The same directive again is the same directive; another one needs an approval of its own.
  assert.equal((await submit()).state, 'accepted');
  assert.equal((await submit(risky, 'e')).state, 'waiting_approval');
  assert.equal(executions().length, 1);
});

test('denied, it ends and is never carried out', async () => {
  const id = await waiting();
  await decide('deny', id, { reason: 'not today' });
  const { state, reason, finishedAt } = await show();
  assert.deepEqual([state, reason], ['rejected', 'denied by the human: not today']);
  assert.equal(typeof finishedAt, 'number');
  assert.equal(await decide('approve', id), 'conflict');
  assert.deepEqual(executions(), []);
});

test('without a decision it is rejected when the time is over, and an approval that comes later does nothing', async () => {
  const id = await waiting();
  await tree.clock.advance(3_599_000);
  assert.equal((await show()).state, 'waiting_approval');
  await tree.clock.advance(1_000);
  assert.equal((await show()).state, 'rejected');
  assert.match((await show()).reason ?? '', /not given in time/);
  assert.equal(await decide('approve', id), 'conflict');
  assert.equal((await approvals())[0]?.state, 'expired');
  assert.deepEqual(executions(), []);
});

test('an approval is for exactly what the human saw: another digest, another content, another id are refused', async () => {
  const id = await waiting();
  const changed = { ...risky, tasks: [task('a', { run: 'rm -rf /' })] };
  assert.equal(await submit(changed), 'conflict');
  const other = digestOf({ directiveId: 'd', directive: changed }, assessRisk(changed, config));
  assert.equal(await decide('approve', id, { digest: other }), 'conflict');
  assert.equal(await decide('approve', 'a0000000000'), 'not_found');
  assert.deepEqual(executions(), []);
  assert.equal((await show()).state, 'waiting_approval');
});

test('what was changed behind its back is not carried out, though its approval names it', async () => {
  const id = await waiting();
  const life = await tree.start(self, {
    handlers: {},
    onStart: (ctx) => {
      const orders = ctx.table<{ directiveId: string; directive: DirectiveSpec }>('approvalOrders');
      const [key, order] = [...orders.entries()][0] ?? [];
      if (key && order)
        orders.put(key, { ...order, directive: { ...order.directive, tasks: [task('evil')] } });
    },
  });
  life.kill();
  // As the elder goes on without asking anew, which its start would do.
  const { onStart: _, ...core } = grandElder(config);
  await tree.start(self, core);
  assert.equal(await decide('approve', id), 'conflict');
  assert.deepEqual(executions(), []);
});

test('under another configuration the risk is another, so it is asked anew and the old approval is void', async () => {
  const id = await waiting();
  const other: Config = { ...config, sandbox: 'none' };
  await tree.start(self, grandElder(other));
  const [now, before] = await approvals();
  assert.deepEqual([before?.id, before?.state, now?.state], [id, 'withdrawn', 'waiting']);
  assert.equal(now?.reasons.length, 2);
  assert.equal(await decide('approve', id), 'conflict');
  assert.deepEqual(executions(), []);
  await decide('approve', now?.id as string);
  assert.equal(executions().length, 1);
});

test('what waits survives a restart, and can be cancelled', async () => {
  const id = await waiting();
  await tree.start(self, grandElder(config));
  assert.deepEqual(
    (await approvals()).map(({ id, state }) => [id, state]),
    [[id, 'waiting']],
  );
  await ask('development.directive.cancel', { directiveId: 'd', reason: 'never mind' });
  assert.equal((await show()).state, 'cancelled');
  assert.equal(await decide('approve', id), 'conflict');
  assert.deepEqual(tree.sent(self, 'claude_elder'), []);
});

test('tasks join a directive only where it would not have had to wait with them', async () => {
  const strict = configSchema.parse({ strategy: { maxRisk: 'low', manyTasks: 3 } });
  await tree.start(self, grandElder(strict));
  await submit(directive([task('a'), task('b')]), 'small');
  const add = (directiveId: string, ids: string[]) =>
    ask('development.task.add', { directiveId, tasks: ids.map((id) => task(id)) });
  await add('small', ['c']);
  const relayed = () => tree.sentAs(self, 'claude_elder', 'development.task.add').length;
  assert.equal(relayed(), 1);
  assert.equal(await add('small', ['d', 'e']), 'approval_required');
  const { approval } = await submit(risky, 'approved');
  await decide('approve', approval?.id as string);
  assert.equal(await add('approved', ['more']), 'approval_required');
  assert.equal(relayed(), 1);
});

test('only the human decides', async () => {
  const id = await waiting();
  await tree.send(
    tree.message('claude_elder', self, 'approval.decide', { approvalId: id, decision: 'approve' }),
  );
  assert.equal((await show()).state, 'waiting_approval');
  assert.ok(
    audited().some(
      ([kind, event, subject]) => kind === 'denial' && event === 'receive' && subject === 'claude_elder',
    ),
  );
});

test('the risk is that of the worst finding, and its author can only raise it', () => {
  const low = configSchema.parse({});
  const risk = (spec: Partial<DirectiveSpec>, settings: Record<string, unknown> = {}) =>
    assessRisk({ ...directive([task('a')]), ...spec }, configSchema.parse(settings)).risk;
  assert.deepEqual(assessRisk(directive([task('a')]), low), { risk: 'low', reasons: [] });
  assert.equal(risk({ risk: 'medium' }), 'medium');
  assert.equal(risk({ risk: 'low' }, { sandbox: 'none' }), 'medium');
  assert.equal(risk({}, { sandboxNetwork: true }), 'medium');
  assert.equal(risk({ tasks: [task('a', { additions: true })] }), 'medium');
  assert.equal(risk({ tasks: [task('a', { hosts: ['example.com'] })] }), 'medium');
  assert.equal(risk({}, { sandboxWritable: ['/x'] }), 'medium');
  assert.equal(risk({ tasks: [task('a'), task('b')] }, { strategy: { manyTasks: 1 } }), 'medium');
  assert.equal(risk({ risk: 'high' }, { sandbox: 'none' }), 'high');
});

test('equal values have equal texts, however they were written', () => {
  assert.equal(canonicalJson({ b: [1, { d: null, c: 'ü' }], a: undefined }), '{"b":[1,{"c":"ü","d":null}]}');
  assert.equal(canonicalJson({ x: 1, y: 2 }), canonicalJson({ y: 2, x: 1 }));
  assert.notEqual(canonicalJson({ x: '1' }), canonicalJson({ x: 1 }));
});

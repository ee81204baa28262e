import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzz } from '../../fuzz/fuzz.ts';
import { decodeMessage } from '../../src/messaging/codec.ts';
import type { ElderMessage } from '../../src/protocol/message.ts';

test('20,000 inputs: nothing ends a decoder, nothing is taken that the schemas forbid', async () => {
  const report = await fuzz({ inputs: 20_000, seed: 1 });
  assert.deepEqual(report.failures, []);
  assert.equal(report.accepted + report.refused, 20_000);
  for (const [target, { inputs, accepted }] of Object.entries(report.byTarget)) {
    // Inputs of one kind only would prove nothing.
    assert.ok(accepted > inputs / 20 && accepted < inputs, `${target}: ${accepted} of ${inputs} accepted`);
  }
});

test('a decoder that checks less than the schema is caught, and so is one that checks more', async () => {
  const loose: typeof decodeMessage = (body, edge, self, head) => {
    const decoded = decodeMessage(body, edge, self, head);
    if (decoded.ok || decoded.messageId === null || !decoded.error.reason.startsWith('priority'))
      return decoded;
    const message = { requires_ack: false, ...JSON.parse(head ?? '{}'), ...JSON.parse(body) };
    return { ok: true, message: message as ElderMessage };
  };
  const { failures } = await fuzz({ inputs: 5_000, seed: 1, decode: loose });
  assert.match(failures[0]?.error ?? '', /accepted although the schema forbids it/);
  const first = failures[0]?.seed ?? 0;
  const again = await fuzz({ inputs: 1, seed: first, decode: loose });
  assert.equal(again.failures[0]?.error.split('\n')[0], failures[0]?.error.split('\n')[0]);

  const strict: typeof decodeMessage = (body, edge, self, head) =>
    decodeMessage(body.includes('日本語') ? '' : body, edge, self, head);
  const refused = await fuzz({ inputs: 5_000, seed: 1, decode: strict });
  assert.match(refused.failures[0]?.error ?? '', /refused although the schema allows it/);
});

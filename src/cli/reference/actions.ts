import { z } from 'zod';
import { actionSpec, actions, isAction } from '../../protocol/actions.ts';
import { edgeTable } from '../../protocol/edges.ts';
import { laneQuota, lanes } from '../../protocol/lanes.ts';
import { elderMessage, messageTypes } from '../../protocol/message.ts';
import { code, madeFromCode, markdownTable } from './markdown.ts';

function fields(schema: z.ZodType): string {
  const shape = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  const required = new Set(shape.required ?? []);
  const names = Object.keys(shape.properties ?? {});
  return names.map((name) => code(required.has(name) ? name : `${name}?`)).join(', ') || 'none';
}

function envelope(): string {
  const shape = z.toJSONSchema(elderMessage, { io: 'input', unrepresentable: 'any' });
  const required = new Set(shape.required ?? []);
  const rows = Object.entries(shape.properties ?? {}).map(([name, field]) => [
    code(name),
    required.has(name) ? 'yes' : '',
    typeof field === 'object' ? (field.description ?? '') : '',
  ]);
  return markdownTable(['field', 'required', 'meaning'], rows);
}

/** Makes `messages.md` from the schemas of the wire, the table of actions and the table of edges. */
export function actionsReference(): string {
  const names = Object.keys(actions).filter(isAction);
  const rows = names.map((name) => {
    const { type, summary, payload, builtLater } = actionSpec(name);
    return [
      code(name),
      type,
      `${summary}${builtLater ? ' Not built yet: answers `not_implemented`.' : ''}`,
      fields(payload),
    ];
  });
  const edges = edgeTable.map(({ from, to, actions: carried }) => [
    code(from),
    code(to),
    carried.map((action) => code(action)).join(', '),
  ]);
  const quota = lanes.map((lane) => [code(lane), String(laneQuota[lane])]);
  return [
    `${madeFromCode}# Messages\n`,
    `Types: ${messageTypes.map(code).join(', ')}.\n`,
    `## The message\n\n${envelope()}`,
    `## Lanes\n\nAn edge has a stream per lane. While all are full, one read takes:\n\n${markdownTable(['lane', 'messages'], quota)}`,
    `## Actions\n\n${markdownTable(['action', 'type', 'meaning', 'payload'], rows)}`,
    `## Edges\n\nWhat is no edge has no stream, no key and no right. \`servant\` stands for every servant.\n\n${markdownTable(['from', 'to', 'actions'], edges)}`,
  ].join('\n');
}

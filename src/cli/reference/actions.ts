import { z } from 'zod';
import { maxMessageDepth } from '../../messaging/codec.ts';
import { packLimit } from '../../messaging/packing.ts';
import { type Action, actionSpec, actions, isAction } from '../../protocol/actions.ts';
import { edgeLanes, edgeTable } from '../../protocol/edges.ts';
import { laneQuota, lanes } from '../../protocol/lanes.ts';
import { elderMessage, maxMessageBytes, messageTypes, wireVersion } from '../../protocol/message.ts';
import { code, madeFromCode, markdownTable } from './markdown.ts';

type JsonSchema = z.core.JSONSchema.JSONSchema;

/** The longest text by which a pattern is shown; a longer one says less than its format does. */
const longestPattern = 60;

function limits(schema: JsonSchema): string[] {
  const { minLength, maxLength, minimum, maximum, format, pattern } = schema;
  const notes: string[] = [];
  const bounds = (least: number | undefined, most: number | undefined, unit: string) => {
    const from = least !== undefined && least > Number.MIN_SAFE_INTEGER ? least : undefined;
    const to = most !== undefined && most < Number.MAX_SAFE_INTEGER ? most : undefined;
    if (from !== undefined && to !== undefined) notes.push(`${from} to ${to}${unit}`);
    else if (from !== undefined) notes.push(`at least ${from}${unit}`);
    else if (to !== undefined) notes.push(`at most ${to}${unit}`);
  };
  bounds(minLength, maxLength, ' characters');
  bounds(minimum, maximum, '');
  if (format !== undefined) notes.push(format);
  else if (pattern !== undefined && pattern.length <= longestPattern) notes.push(`matches ${code(pattern)}`);
  return notes;
}

/** Says in one cell what values a schema takes. */
function typeText(schema: JsonSchema | boolean | undefined): string {
  if (typeof schema !== 'object') return 'any JSON';
  if (schema.const !== undefined) return code(JSON.stringify(schema.const));
  if (schema.enum !== undefined) return schema.enum.map((value) => code(String(value))).join(', ');
  const union = schema.anyOf ?? schema.oneOf;
  if (union !== undefined) return union.map(typeText).join(' or ');
  switch (schema.type) {
    case 'array':
      return `list of ${typeText(schema.items as JsonSchema)}`;
    case 'object': {
      const required = new Set(schema.required ?? []);
      const parts = Object.entries(schema.properties ?? {}).map(([name, part]) => {
        return `${code(required.has(name) ? name : `${name}?`)}: ${typeText(part)}`;
      });
      if (parts.length > 0) return `{ ${parts.join('; ')} }`;
      return typeof schema.additionalProperties === 'object'
        ? `map of ${typeText(schema.additionalProperties)}`
        : 'object';
    }
    case undefined:
      return 'any JSON';
    default:
      return [String(schema.type), ...limits(schema)].join(', ');
  }
}

function schemaOf(type: z.ZodType, io: 'input' | 'output'): JsonSchema {
  return z.toJSONSchema(type, { io, unrepresentable: 'any', reused: 'inline' });
}

/** A table with a row per field. */
function fields(shape: JsonSchema): string {
  const required = new Set(shape.required ?? []);
  const rows = Object.entries(shape.properties ?? {}).map(([name, field]) => [
    code(name),
    typeText(field),
    required.has(name) ? 'yes' : '',
    typeof field === 'object' ? (field.description ?? '') : '',
  ]);
  return rows.length === 0 ? 'No fields.\n' : markdownTable(['field', 'value', 'required', 'meaning'], rows);
}

function actionSection(name: Action): string {
  const { type, summary, payload, reply, builtLater, lane } = actionSpec(name);
  const way = lane === undefined ? '' : `, in the lane ${code(lane)}`;
  const later = builtLater ? ' Not built yet: answers `not_implemented`.' : '';
  const on = edgeTable.filter(({ actions: carried }) => carried.includes(name));
  const edges = on.map(({ from, to }) => `${code(from)} → ${code(to)}`).join(', ') || 'none';
  const answer = reply === undefined ? '' : `\nAnswer: ${typeText(schemaOf(reply, 'output'))}\n`;
  return `### ${code(name)}\n\n${code(type)}${way}. ${summary}${later}\n\nEdges: ${edges}.\n\n${fields(schemaOf(payload, 'input'))}${answer}`;
}

/** Makes `messages.md` from the schemas of the wire, the table of actions and the table of edges. */
export function actionsReference(): string {
  const names = Object.keys(actions).filter(isAction);
  const edges = edgeTable.map(({ from, to, actions: carried }) => [
    code(from),
    code(to),
    edgeLanes(from.replace(/^servant$/, 'servant_1'), to.replace(/^servant$/, 'servant_1'))
      .map(code)
      .join(', '),
    carried.map((action) => code(action)).join(', '),
  ]);
  const wire = `JSON in UTF-8, at most ${maxMessageBytes} bytes, nested at most ${maxMessageDepth} levels, version ${wireVersion}; as JSON Schema in\n[message.schema.json](message.schema.json). The sender checks what it sends and the reader what it reads. A reader drops\nfields that it does not know. What does not fit is not acted on: it becomes a dead letter with its text and the reason\n(\`elders dlq list\`), and the lane goes on.\n`;
  const entries = `What one commit sends into an edge stands in few entries of its stream. An entry has \`q\`, the number of its first\nmessage in the edge, and \`m\`, the text. Without \`n\` the text is one message; with it, it has \`n\` messages (at most ${packLimit}), each a\nline with the fields of its own. A line that begins with \`^\` is no message: behind the mark stand, as JSON, the fields that all\nmessages from there to the next such line share. A field of a message's own counts before a shared one, and one of these\nwithout \`correlation_id\` begins a story: its own id is meant. Limits, numbers and positions count messages, and \`trace\`,\n\`msg show\` and dead letters show each as a whole.\n`;
  const quota = lanes.map((lane) => [code(lane), String(laneQuota[lane])]);
  return [
    `${madeFromCode}# Messages\n`,
    `Types: ${messageTypes.map(code).join(', ')}.\n`,
    `## The message\n\n${fields(schemaOf(elderMessage, 'input'))}\n${wire}`,
    `## Entries\n\n${entries}`,
    `## Lanes\n\nAn edge has a stream per lane. While all are full, one read takes:\n\n${markdownTable(['lane', 'messages'], quota)}`,
    `## Actions\n\n${names.map(actionSection).join('\n')}`,
    `## Edges\n\nWhat is no edge has no stream, no key and no right. \`servant\` stands for every servant.\n\n${markdownTable(['from', 'to', 'lanes', 'actions'], edges)}`,
  ].join('\n');
}

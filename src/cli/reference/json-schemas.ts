import { z } from 'zod';
import { configSchema } from '../../protocol/config.ts';
import { directiveView } from '../../protocol/directive.ts';
import { directiveFile } from '../../protocol/directive-file.ts';
import { tracedMessage } from '../../protocol/local-api.ts';
import { elderMessage } from '../../protocol/message.ts';
import { treeStatus } from '../../protocol/process.ts';

function text(schema: z.ZodType, io: 'input' | 'output'): string {
  return `${JSON.stringify(z.toJSONSchema(schema, { io, unrepresentable: 'any' }), null, 2)}\n`;
}

/** Makes the JSON Schemas of what people write and of what `--json` prints, by file name. */
export function jsonSchemas(): [string, string][] {
  return [
    ['config.schema.json', text(configSchema, 'input')],
    ['directive.schema.json', text(directiveFile, 'input')],
    ['directive-show.schema.json', text(directiveView, 'output')],
    ['message.schema.json', text(elderMessage, 'input')],
    ['status.schema.json', text(treeStatus, 'output')],
    [
      'trace.schema.json',
      text(z.object({ correlationId: z.string(), messages: z.array(tracedMessage) }), 'output'),
    ],
  ];
}

import { z } from 'zod';

/** The message types of the wire, as the original design names them. */
export const messageTypes = ['command', 'query', 'report', 'heartbeat', 'emergency', 'acknowledge'] as const;
export type MessageType = (typeof messageTypes)[number];

/** Version of the wire that this program writes in `v`. */
export const wireVersion = 1;

/** The most bytes (UTF-8) that one encoded message may have. */
export const maxMessageBytes = 1_048_576;

/** A chain of messages longer than this is a loop and is refused. */
export const maxHops = 32;

const name = z.string().min(1).max(64);
const id = z.string().min(1).max(128);

/**
 * ElderMessage as it stands on the wire: the eight fields of the original design with their names,
 * then ours, all optional. Unknown fields are dropped, not refused, so that older readers meet newer writers.
 */
export const elderMessage = z.object({
  message_id: id.describe('Unique; handling the same id twice is impossible, a second send is a second id.'),
  source_elder: name.describe('Sender. Checked against the edge that the message stands in, never believed.'),
  target_elder: name.describe('Receiver.'),
  message_type: z.enum(messageTypes).describe('What kind of message this is.'),
  payload: z.record(z.string(), z.json()).describe('Arguments; the schema is that of the action.'),
  priority: z.int().min(1).max(10).default(5).describe('1 to 10, 10 is the most urgent.'),
  timestamp: z.iso.datetime({ offset: true }).describe('When the sender made it, by its own clock.'),
  requires_ack: z
    .boolean()
    .default(false)
    .describe('The sender gets an `acknowledge` once this is acted on or dead.'),
  action: z
    .string()
    .max(128)
    .regex(/^[a-z_]+(\.[a-z_]+)*$/)
    .optional()
    .describe('Dotted name of what is asked; what permissions speak of.'),
  correlation_id: id.optional().describe('Common to all messages of one story, such as a directive.'),
  on_behalf_of: z
    .array(name)
    .max(maxHops)
    .optional()
    .describe(
      'Who had the sender ask for this, the first asker first; each of them needs the right to it too.',
    ),
  causation_id: id.optional().describe('The message whose handling sent this one.'),
  expires_at: z.iso.datetime({ offset: true }).optional().describe('After this it is dead, not acted on.'),
  hops: z.int().min(0).max(maxHops).optional().describe('Length of the chain of causes.'),
  traceparent: z.string().max(64).optional().describe('W3C trace context.'),
  v: z.literal(wireVersion).optional().describe('Version of the wire.'),
});
export type ElderMessage = z.infer<typeof elderMessage>;

/** Single messages and dead letters, in English. */
export const message = {
  groups: {
    msg: 'send and inspect single messages',
    dlq: 'messages that were given up (dead letters)',
  },
  commands: {
    'msg send': {
      summary: 'send one message through the gateway and print the answer',
      arguments: { target: 'name of the elder', action: 'such as elder.ping' },
      options: {
        payload: 'JSON object; - is standard input (default {})',
        priority: '1 to 10, 10 is the most urgent (default 5)',
        timeout: 'how long to wait for the answer (default 30s)',
      },
    },
    'msg show': {
      summary: 'show one message and what became of it',
      arguments: { id: 'id of the message' },
      options: {},
    },
    'dlq list': {
      summary: 'list the messages that were given up, the newest first',
      arguments: {},
      options: { elder: 'only those of this elder', limit: 'how many (default 50)' },
    },
    'dlq show': {
      summary: 'show a dead letter with all its errors',
      arguments: { id: 'id of the message' },
      options: {},
    },
    'dlq replay': {
      summary: 'have a dead letter handled once more; exit code 0 only if it was acted on',
      arguments: { id: 'id of the message' },
      options: { timeout: 'how long to wait for the outcome (default 30s)' },
    },
    'dlq discard': {
      summary: 'throw a dead letter away; who and when stays recorded',
      arguments: { id: 'id of the message' },
      options: { timeout: 'how long to wait for the outcome (default 30s)' },
    },
  },
  texts: {
    dlq: {
      none: 'There are no dead letters.',
      head: ['GIVEN UP', 'ID', 'FROM → TO', 'ACTION', 'TRIES', 'LAST ERROR'],
      more: (count: number) => `… and ${count} more (--limit)`,
      discarded: (id: string) => `Dead letter ${id} discarded.`,
      acted: (id: string, elder: string) => `${elder} has acted on ${id}.`,
    },
  },
};

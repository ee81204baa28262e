import type { TaskRecord } from '../../../protocol/directive.ts';
import { ElderError } from '../../../protocol/errors.ts';
import { didYouMean } from '../../../protocol/nearest.ts';
import type { CommandInput } from '../../command-spec.ts';
import { GatewayClient } from '../../connection/gateway-client.ts';
import { countStates, countsText } from '../../directive/directive-text.ts';
import { incidentRow } from '../../oversight/incident-row.ts';
import { ragAnswerText } from '../../rag/rag-text.ts';
import type { Session } from '../../session.ts';
import { manyLines, oneLine } from '../../text/printable.ts';
import { renderTable } from '../../text/table.ts';
import { timeText } from '../../text/times.ts';

interface Question {
  readonly session: Session;
  readonly client: GatewayClient;
  readonly words: string | undefined;
  readonly limit: number | undefined;
  readonly timeoutMs: number | undefined;
}

function required({ words }: Question, what: string): string {
  if (words === undefined || words.trim() === '') throw new ElderError('usage', `${what} is missing`);
  return words;
}

async function askKnowledge(question: Question): Promise<void> {
  const { client, session, limit = 5, timeoutMs } = question;
  const query = required(question, 'the question');
  const answer = await client.ask('knowledge_sage', 'sage.knowledge.search', { query, limit }, { timeoutMs });
  session.print(answer, () => {
    if (answer.entries.length === 0) return `${session.text.ask.nothing}\n`;
    return answer.entries
      .map(({ title, body, source, updatedAt }) => {
        const lines = manyLines(body).trimEnd().split('\n');
        return `${oneLine(title)}  (${oneLine(source)}, ${timeText(updatedAt)})\n${lines.map((line) => `  ${line}\n`).join('')}`;
      })
      .join('\n');
  });
}

async function askIncident({ client, session, limit = 50, timeoutMs, words }: Question): Promise<void> {
  if (words !== undefined)
    throw new ElderError('usage', 'the incident sage takes no question; it lists incidents');
  const answer = await client.ask('incident_sage', 'sage.incident.list', { limit }, { timeoutMs });
  session.print(answer, () => {
    if (answer.incidents.length === 0) return `${session.text.ask.noIncidents}\n`;
    return renderTable([session.text.ask.incidentHead, ...answer.incidents.map(incidentRow)]);
  });
}

async function askTask(question: Question): Promise<void> {
  const { client, session, timeoutMs } = question;
  const directiveId = required(question, 'the id of a directive');
  const tasks = new Map<string, TaskRecord>();
  let since = 0;
  for (;;) {
    const page = await client.ask('task_sage', 'sage.task.graph', { directiveId, since }, { timeoutMs });
    for (const task of page.tasks) tasks.set(task.id, task);
    since = page.revision;
    if (page.more) continue;
    const all = [...tasks.values()];
    const document = { directiveId, summary: page.summary, tasks: all };
    session.print(document, () => {
      const rows = all.map(({ id, state, attempts, servant }) => [
        id,
        state,
        String(attempts),
        servant ?? '-',
      ]);
      return `${countsText(countStates(all))}\n\n${renderTable(rows)}`;
    });
    return;
  }
}

async function askRag(question: Question): Promise<void> {
  const { client, session, limit = 5, timeoutMs } = question;
  const query = required(question, 'the question');
  const answer = await client.ask('rag_sage', 'sage.rag.search', { query, limit }, { timeoutMs });
  session.print(answer, () => ragAnswerText(answer, session));
}

const sages: Readonly<Record<string, (question: Question) => Promise<void>>> = {
  knowledge: askKnowledge,
  incident: askIncident,
  task: askTask,
  rag: askRag,
};

/** Asks a sage, by its short or its full name. */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const [sage = '', words] = input.arguments;
  const short = sage.replace(/_sage$/, '');
  const ask = Object.hasOwn(sages, short) ? sages[short] : undefined;
  if (ask === undefined) {
    const names = Object.keys(sages);
    throw new ElderError(
      'usage',
      `there is no sage "${sage}"; expected ${names.join(', ')}${didYouMean(short, names)}`,
    );
  }
  const client = new GatewayClient(session);
  await ask({ session, client, words, limit: input.number('limit'), timeoutMs: input.number('timeout') });
}

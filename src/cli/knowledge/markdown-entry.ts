import { Document, isMap, parseDocument } from 'yaml';
import { z } from 'zod';
import { ElderError } from '../../protocol/errors.ts';
import { type KnowledgeContent, knowledgeContent } from '../../protocol/knowledge.ts';

const frontMatter = /^---[ \t]*\r?\n(?:([\s\S]*?)\r?\n)?---[ \t]*(?:\r?\n|$)/u;
const firstHeading = /^\uFEFF?\s*# +(.+?)[ \t#]*(?:\r?\n|$)/u;

const words = z.preprocess(
  (value) => (typeof value === 'string' ? value.split(',').map((word) => word.trim()) : value),
  z.array(z.union([z.string(), z.number(), z.boolean()]).transform(String)),
);
const time = z.string().transform((value, ctx) => {
  const ms = Date.parse(value);
  if (Number.isFinite(ms)) return ms;
  ctx.addIssue('expected a date such as 2027-01-31');
  return z.NEVER;
});

/** What front matter may say; all of it is optional, and what else stands there is left alone. */
const header = z.object({
  id: z.string().optional(),
  title: z.union([z.string(), z.number()]).transform(String).optional(),
  kind: z.string().optional(),
  tags: words.optional(),
  source: z.string().optional(),
  confidence: z.number().optional(),
  derived: z.boolean().optional(),
  directives: words.optional(),
  tasks: words.optional(),
  incidents: words.optional(),
  expires: time.optional(),
  supersededBy: z.string().optional(),
});
type Header = z.infer<typeof header>;
const names = Object.keys(header.shape) as (keyof Header)[];

/** Takes a Markdown file apart. */
function divide(text: string): { yaml: string | null; body: string } {
  const plain = text.startsWith('\uFEFF---') ? text.slice(1) : text;
  const match = frontMatter.exec(plain);
  if (!match) return { yaml: null, body: text };
  // One empty line after it is for the eye, and is no part of the text.
  return { yaml: match[1] ?? '', body: plain.slice(match[0].length).replace(/^\r?\n/u, '') };
}

/** What an entry is taken for where its file does not say. */
type Defaults = Pick<KnowledgeContent, 'kind' | 'source'>;
const imported: Defaults = { kind: 'document', source: 'import' };

/** What a file without front matter says by its name and its text. */
function usual(pathId: string, body: string, defaults: Defaults = imported): KnowledgeContent {
  const heading = firstHeading.exec(body)?.[1]?.trim();
  const title = (heading || pathId.split('/').at(-1) || pathId).slice(0, 300).toWellFormed();
  return {
    ...{ id: pathId, title, body, tags: [], ...defaults, confidence: null },
    ...{ derived: false, expiresAt: null, supersededBy: null },
    links: { directives: [], tasks: [], incidents: [] },
  };
}

/**
 * Reads an entry from a Markdown file, whose front matter is optional; `pathId` is its path without `.md`. Throws `malformed`
 * with what is wrong.
 */
export function parseEntry(text: string, pathId: string, defaults?: Defaults): KnowledgeContent {
  const { yaml, body } = divide(text);
  const document = parseDocument(yaml ?? '', { logLevel: 'silent' });
  const [broken] = document.errors;
  if (broken) throw new ElderError('malformed', `front matter: ${broken.message.split('\n')[0]}`);
  const read = header.safeParse(document.toJS() ?? {});
  if (!read.success) throw new ElderError('malformed', `front matter: ${problemsOf(read.error)}`);
  const { expires, directives = [], tasks = [], incidents = [], ...said } = read.data;
  const given = Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
  const entry = {
    ...usual(said.id ?? pathId, body, defaults),
    ...given,
    expiresAt: expires ?? null,
    links: { directives, tasks, incidents },
  };
  const checked = knowledgeContent.safeParse(entry);
  if (checked.success) return checked.data;
  throw new ElderError('malformed', problemsOf(checked.error));
}

function problemsOf({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) => `${path.join('.') || 'it'}: ${message}`).join('; ');
}

/** What has to be said of an entry beyond what its file says by itself; undefined is not said. */
function headerOf(entry: KnowledgeContent, pathId: string): Record<keyof Header, unknown> {
  const plain = usual(entry.id, entry.body);
  const unless = <T>(value: T, same: boolean) => (same ? undefined : value);
  const list = (values: readonly string[]) => unless(values, values.length === 0);
  return {
    id: unless(entry.id, entry.id === pathId),
    title: unless(entry.title, entry.title === plain.title),
    kind: unless(entry.kind, entry.kind === plain.kind),
    tags: list(entry.tags),
    source: unless(entry.source, entry.source === plain.source),
    confidence: entry.confidence ?? undefined,
    derived: entry.derived || undefined,
    directives: list(entry.links.directives),
    tasks: list(entry.links.tasks),
    incidents: list(entry.links.incidents),
    expires: entry.expiresAt === null ? undefined : new Date(entry.expiresAt).toISOString(),
    supersededBy: entry.supersededBy ?? undefined,
  };
}

/**
 * Writes an entry as a Markdown file; front matter says only what the file does not say by itself. What else the
 * `present` file has in its front matter, such as comments and names of other programs, stays.
 */
export function renderEntry(entry: KnowledgeContent, pathId: string, present = ''): string {
  const { yaml } = divide(present);
  const old = parseDocument(yaml ?? '', { logLevel: 'silent' });
  const document = old.errors.length === 0 && isMap(old.contents) ? old : new Document({});
  const said = headerOf(entry, pathId);
  for (const name of names) {
    if (said[name] === undefined) document.delete(name);
    else if (JSON.stringify(document.toJS()?.[name]) !== JSON.stringify(said[name]))
      document.set(name, said[name]);
  }
  const isEmpty = isMap(document.contents) && document.contents.items.length === 0;
  const { body } = entry;
  if (isEmpty && divide(body).yaml === null) return body;
  const lines = isEmpty ? '' : document.toString({ lineWidth: 0, blockQuote: false });
  return `---\n${lines}${lines === '' || lines.endsWith('\n') ? '' : '\n'}---\n\n${body}`;
}

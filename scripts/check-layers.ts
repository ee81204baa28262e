import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { parseSync, Visitor } from 'oxc-parser';

/** Each layer with those it may import from; the folders of `src` and nothing else. */
const layers: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  telemetry: ['protocol'],
  identity: ['protocol'],
  messaging: ['protocol', 'telemetry', 'identity'],
  supervision: ['protocol', 'telemetry', 'identity', 'messaging'],
  agents: ['protocol', 'telemetry', 'identity', 'messaging'],
  elders: ['protocol', 'telemetry', 'identity', 'messaging', 'supervision', 'agents'],
  gateway: ['protocol', 'telemetry', 'identity', 'messaging', 'supervision', 'agents', 'elders'],
  cli: ['protocol', 'telemetry', 'identity', 'messaging', 'supervision', 'agents', 'elders', 'gateway'],
};

/** Layers that do no I/O, with the only modules from outside `src` that they may import. */
const pureLayers: Readonly<Record<string, readonly string[]>> = {
  protocol: ['zod', 'yaml', 'leven', 'node:path'],
};

/** An import that breaks the rule. */
interface Violation {
  /** Path below `src`. */
  readonly file: string;
  readonly line: number;
  readonly reason: string;
}

/** One module that a file names; `specifier` is undefined where it is computed at run time. */
interface Reference {
  readonly specifier: string | undefined;
  readonly start: number;
}

/** Finds every import, re-export, dynamic import and imported type of a file. Throws on a syntax error. */
function references(path: string, text: string): Reference[] {
  const { program, errors } = parseSync(path, text);
  const error = errors[0];
  if (error) throw new Error(`${path}: ${error.message}`);
  const found: Reference[] = [];
  const add = (node: { start: number }, source: { type: string } | null) => {
    if (source === null) return;
    const literal = source.type === 'Literal' && 'value' in source ? source.value : undefined;
    found.push({ specifier: typeof literal === 'string' ? literal : undefined, start: node.start });
  };
  new Visitor({
    ImportDeclaration: (node) => add(node, node.source),
    ExportNamedDeclaration: (node) => add(node, node.source),
    ExportAllDeclaration: (node) => add(node, node.source),
    ImportExpression: (node) => add(node, node.source),
    TSImportType: (node) => add(node, node.source),
    CallExpression: (node) => {
      const name = node.callee.type === 'Identifier' ? node.callee.name : undefined;
      if (name === 'require' || name === 'createRequire') add(node, { type: 'computed' });
    },
  }).visit(program);
  return found;
}

/** Says why a file of `layer` must not import `specifier`; `undefined` if it may. */
function objection(src: string, file: string, specifier: string | undefined): string | undefined {
  const layer = file.split(sep)[0] ?? '';
  const allowed = layers[layer] ?? [];
  if (specifier === undefined) return 'imports a module that is only known at run time';
  if (!specifier.startsWith('.')) {
    const pure = pureLayers[layer];
    if (pure === undefined || pure.includes(specifier)) return undefined;
    return `${layer} does no I/O and imports only ${pure.join(', ')} from outside, not ${specifier}`;
  }
  const target = resolve(src, dirname(file), specifier);
  const inside = relative(src, target);
  if (inside.startsWith('..')) return `imports ${specifier}, which is outside src`;
  if (!existsSync(target)) return `imports ${specifier}, which does not exist`;
  const targetLayer = inside.split(sep)[0] ?? '';
  if (targetLayer === layer || allowed.includes(targetLayer)) return undefined;
  return `${layer} must not import from ${targetLayer} (${specifier})`;
}

/** Lists every import below the folder `src` that goes against the layers. Throws on a syntax error. */
export function layerViolations(src: string): Violation[] {
  const violations: Violation[] = [];
  for (const file of globSync('**/*.{ts,mts,cts,js,mjs,cjs}', { cwd: src }).sort()) {
    const layer = file.split(sep)[0] ?? '';
    if (!Object.hasOwn(layers, layer)) {
      const known = Object.keys(layers).join(', ');
      violations.push({ file, line: 1, reason: `${layer} is no layer; the layers are ${known}` });
      continue;
    }
    const text = readFileSync(join(src, file), 'utf8');
    for (const { specifier, start } of references(file, text)) {
      const reason = objection(src, file, specifier);
      if (reason === undefined) continue;
      violations.push({ file, line: text.slice(0, start).split('\n').length, reason });
    }
  }
  return violations;
}

if (import.meta.main) {
  const src = resolve(import.meta.dirname, '../src');
  const violations = layerViolations(src);
  for (const { file, line, reason } of violations) process.stderr.write(`src/${file}:${line} ${reason}\n`);
  process.exitCode = violations.length > 0 ? 1 : 0;
}

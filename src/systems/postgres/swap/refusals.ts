// What a schema swap cannot carry, found in the source's catalogue alone: texts that name a swapped schema, values that name tables, extensions
// among the tables, and what a document may not ask for together with it.
import { type Finding, toFinding } from '../../../kernel/errors.js';
import { type Catalogue, type DataType, type SchemaObject, toLabel, toObjectLabel } from '../../../pipeline/catalogue.js';
import type { Plan } from '../../../pipeline/plan.js';
import { type SchemaTextPart, schemaTexts } from '../catalogue/catalogue.js';
import { findSwapped } from './places.js';
import { hasTextBody, toHead } from './stub.js';

/** `today` as `YYYY-MM-DD`: until when a text is kept. */
export function findRefusals(catalogue: Catalogue, plan: Plan, today: string): readonly Finding[] {
  return [...findDocument(plan), ...findExtensions(catalogue), ...findNamingColumns(catalogue), ...findNamingTexts(catalogue, plan, today)];
}

function findDocument({ documents, facts }: Plan): Finding[] {
  const wanted = [
    ...(Object.keys(documents ?? {}).some((name) => name.startsWith('after ')) ? ['after'] : []),
    ...(facts.target.roles?.map ? ['target.roles.map'] : []),
  ];
  return wanted.map((name) => toFinding('SWAP_NOT_WITH', { stage: 'deliver', name }));
}

function findExtensions(catalogue: Catalogue): Finding[] {
  const swapped = new Set(findSwapped(catalogue));
  return catalogue.objects.flatMap((object) =>
    object.kind === 'extension' && swapped.has(object.schema)
      ? [toFinding('SWAP_EXTENSION_INSIDE', { stage: 'deliver', object: toObjectLabel(object), schema: object.schema })]
      : [],
  );
}

/** Types whose values are objects of the database: they are read as one version's and shown as another's. */
const naming = new Set(
  ['class', 'collation', 'config', 'dictionary', 'namespace', 'oper', 'operator', 'proc', 'procedure', 'type'].map((word) => `reg${word}`),
);

function findNamingColumns(catalogue: Catalogue): Finding[] {
  const tables = catalogue.tables.flatMap(({ schema, name: table, columns }) =>
    columns.filter(({ type }) => isNaming(type)).map(({ name, type }) => ({ schema, table, column: name, type: type.display })),
  );
  const views = catalogue.objects.flatMap((object) =>
    object.kind !== 'materialized view'
      ? []
      : object.columns
          .filter(({ type }) => naming.has(type.replace(/(\[\])+$/, '')))
          .map(({ name, type }) => ({ schema: object.schema, table: object.name, column: name, type })),
  );
  return [...tables, ...views].map((where) => toFinding('SWAP_COLUMN_TYPE', { stage: 'deliver', ...where }));
}

function isNaming({ base, element, attributes }: DataType): boolean {
  return naming.has(base) || (element !== undefined && isNaming(element)) || (attributes ?? []).some(({ type }) => isNaming(type));
}

/** Parts in which a literal may become a name; a partition's bound is a value and never looked up. */
const parts: ReadonlySet<SchemaTextPart> = new Set([
  'default',
  'generated',
  'check',
  'constraint',
  'partition key',
  'index',
  'policy',
  'view',
  'function',
  'trigger',
  'rule',
  'statistics',
]);

/** One finding per object and schema. What the pipeline drops has none; what it keeps with a reason has a warning. */
function findNamingTexts(catalogue: Catalogue, { facts }: Plan, today: string): Finding[] {
  const swapped = findSwapped(catalogue).map((name) => [name, toWord(name)] as const);
  const kept = new Map((facts.schemaTexts ?? []).map((entry) => [entry.object, entry]));
  const found = new Map<string, Finding>();
  for (const { object, text } of toTexts(catalogue)) {
    const decided = kept.get(object) ?? kept.get(object.replace(/\(.*\)$/s, ''));
    if (decided?.action === 'drop') continue;
    const holds = decided?.action === 'keep' && (decided.expires === undefined || decided.expires >= today);
    for (const [name, word] of swapped) {
      if (!word.test(text)) continue;
      const where = { stage: 'deliver', object, schema: name };
      found.set(JSON.stringify([object, name]), toFinding('SWAP_TEXT_NAMES_SCHEMA', where, holds ? 'warning' : 'error'));
    }
  }
  return [...found.values()];
}

/** Texts that nobody maps: whole bodies where they are stored as text, and the literals of everything that the server has bound. */
function toTexts(catalogue: Catalogue): readonly { readonly object: string; readonly text: string }[] {
  const bodies = catalogue.objects.flatMap((object) => {
    const text = toRoutineText(object);
    return text === undefined ? [] : [{ object: toObjectLabel(object), text }];
  });
  const routines = new Set(bodies.map(({ object }) => object));
  const bound = schemaTexts(catalogue)
    .filter(({ part, object }) => parts.has(part) && !routines.has(object))
    .map(({ object, text }) => ({ object, text: toLiterals(text) }));
  return [...bodies, ...bound];
}

function toRoutineText(object: SchemaObject): string | undefined {
  if (object.kind !== 'function' && object.kind !== 'procedure') return undefined;
  const head = toHead(object);
  return head !== undefined && hasTextBody(object) ? `${toLiterals(head)}\n${object.body}` : toLiterals(object.definition);
}

/**
 * The string literals of an expression as the server writes it, one a line. A literal that was made an object's number when it was read
 * (`'shop.order_id_seq'::regclass`) is mapped with the rest, and is none.
 */
export function toLiterals(expression: string): string {
  const tokens = expression.matchAll(/"(?:[^"]|"")*"|'((?:[^']|'')*)'(::reg[a-z]+)?/g);
  return [...tokens].flatMap(([, text, type]) => (text === undefined || naming.has(type?.slice(2) ?? '') ? [] : [text])).join('\n');
}

/** The name as a word, in any case: SQL folds what is not quoted. */
function toWord(name: string): RegExp {
  const escaped = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const quoted = toLabel(name)
    .slice(1, -1)
    .replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`(?<![\\p{L}\\p{N}_$])(?:${escaped}|${quoted})(?![\\p{L}\\p{N}_$])`, 'iu');
}

// Paths inside json, jsonb, hstore, xml and composite values, listed on the server, so that no value travels for it.
import type { PathInventory } from '../../../pipeline/column-sample.js';

export interface PathRow {
  /** Segments with `.` and `[]`; keys that are no plain words are `*` already. */
  readonly path: string;
  readonly kind: string;
}

const PATH_LIMIT = 20_000;
const DEPTH_LIMIT = 24;
/** An object with more different keys than this is a map whose keys are data. */
const KEY_LIMIT = 60;
const VALUES_PER_PATH = 50;

/**
 * One row's leaves by a recursive walk; `to_jsonb` makes one form of json, hstore, composites and arrays of them. A key that is no plain word
 * becomes `*` here: it never leaves the server.
 */
function walk(column: string): string {
  return `WITH RECURSIVE walk(path, v, depth) AS (
      SELECT ''::text, pg_catalog.to_jsonb(t.${column}), 0 WHERE t.${column} IS NOT NULL
      UNION ALL
      SELECT n.path, n.v, w.depth + 1 FROM walk w CROSS JOIN LATERAL (
        SELECT CASE WHEN w.path = '' THEN '' ELSE w.path || '.' END ||
            CASE WHEN o.key ~ '^[A-Za-z_][A-Za-z0-9_-]{0,40}$' THEN o.key ELSE '*' END, o.value
          FROM pg_catalog.jsonb_each(CASE pg_catalog.jsonb_typeof(w.v) WHEN 'object' THEN w.v ELSE '{}' END) o
        UNION ALL
        SELECT w.path || '[]', a.value
          FROM pg_catalog.jsonb_array_elements(CASE pg_catalog.jsonb_typeof(w.v) WHEN 'array' THEN w.v ELSE '[]' END) a
      ) AS n(path, v) WHERE w.depth < ${DEPTH_LIMIT}
    )
    SELECT path, pg_catalog.jsonb_typeof(v) AS kind, v FROM walk
    WHERE pg_catalog.jsonb_typeof(v) NOT IN ('object', 'array') OR depth = ${DEPTH_LIMIT}`;
}

/**
 * One document's texts and attributes, as masking knows them. The document becomes one element, so that a fragment is one too; a document type
 * cannot stand inside, and is an error here as there.
 */
function walkXml(column: string): string {
  const word = '[A-Za-z_][A-Za-z0-9_-]{0,40}';
  const shown = (name: string): string => `CASE WHEN ${name} ~ '^${word}(:${word})?$' THEN ${name} ELSE '*' END`;
  const below = (name: string): string => `CASE WHEN w.path = '' THEN '' ELSE w.path || '.' END || ${name}`;
  return `WITH RECURSIVE walk(path, v, depth) AS (
      SELECT ''::text, ('<r>' || pg_catalog.regexp_replace(t.${column}::text, '^<[?]xml [^>]*>', '') || '</r>')::xml, 0 WHERE t.${column} IS NOT NULL
      UNION ALL
      SELECT ${below(shown('e.name'))}, e.v, w.depth + 1 FROM walk w
        CROSS JOIN LATERAL XMLTABLE('/*/*' PASSING w.v COLUMNS name text PATH 'name(.)', v xml PATH '.') e WHERE w.depth < ${DEPTH_LIMIT}
    )
    SELECT n.path, 'string'::text AS kind, n.v FROM walk w CROSS JOIN LATERAL (
      SELECT w.path, x.v FROM XMLTABLE('/*/text()[normalize-space(.)]' PASSING w.v COLUMNS v text PATH '.') x
      UNION ALL
      SELECT w.path, '' WHERE w.depth > 0 AND NOT pg_catalog.xpath_exists('/*/node()', w.v)
      UNION ALL
      SELECT ${below(`'@' || ${shown('a.name')}`)}, a.v FROM XMLTABLE('/*/@*' PASSING w.v COLUMNS name text PATH 'name(.)', v text PATH '.') a
      UNION ALL
      SELECT ${below('m.name')}, '' FROM (VALUES ('#comment', '/*/comment()'), ('#instruction', '/*/processing-instruction()')) AS m(name, path)
        WHERE pg_catalog.xpath_exists(m.path, w.v)
    ) AS n(path, v) WHERE n.path <> ''`;
}

/** What stands before and after the FROM item, whose alias is `t`. Rows: PathRow. */
export function inventoryStatement(column: string, xml: boolean): readonly [head: string, tail: string] {
  return [
    'SELECT p.path, p.kind FROM',
    `CROSS JOIN LATERAL (SELECT DISTINCT w.path, w.kind FROM (${xml ? walkXml(column) : walk(column)}) w) p GROUP BY p.path, p.kind ORDER BY p.path COLLATE "C", p.kind LIMIT ${PATH_LIMIT}`,
  ];
}

/** Rows: path and some of its values as text. */
export function valuesStatement(column: string, characters: number, xml: boolean): readonly [head: string, tail: string] {
  const text = xml ? 'p.v' : "p.v OPERATOR(pg_catalog.#>>) '{}'";
  return [
    `SELECT p.path, (pg_catalog.array_agg(pg_catalog.left(${text}, ${characters})))[1:${VALUES_PER_PATH}] AS values FROM`,
    `CROSS JOIN LATERAL (${xml ? walkXml(column) : walk(column)}) p WHERE p.kind IN ('string', 'number') GROUP BY p.path LIMIT ${PATH_LIMIT}`,
  ];
}

interface Node {
  readonly children: Map<string, Node>;
  readonly kinds: Set<string>;
}

/** Collapses keys that are data to `*`, and says below which paths they stand. */
export function toInventory(
  at: { readonly schema: string; readonly table: string; readonly column: string },
  rows: readonly PathRow[],
  whole: boolean,
  isDataKey: (key: string) => boolean,
): { readonly inventory: PathInventory; readonly dataPaths: readonly string[] } {
  const root = toNode();
  for (const { path, kind } of rows) {
    let node = root;
    for (const segment of path.split(/\.|(?=\[\])/).filter((part) => part !== ''))
      node = toChild(node, isShown(segment, isDataKey) ? segment : '*');
    node.kinds.add(kind);
  }
  collapse(root);
  const paths: { path: string; kinds: readonly string[] }[] = [];
  const dataPaths = new Set<string>();
  collect(root, '', paths, dataPaths);
  const sorted = paths.sort((a, b) => (a.path < b.path ? -1 : 1));
  const inventory = { ...at, whole, paths: sorted, dataKeys: dataPaths.size > 0, cut: rows.length >= PATH_LIMIT };
  return { inventory, dataPaths: [...dataPaths].sort() };
}

function isShown(segment: string, isDataKey: (key: string) => boolean): boolean {
  // Of an XML name, prefix and name each for itself, without what marks an attribute; a comment is one whatever stands in it.
  const words = segment.replace(/^[@#]/, '').split(':');
  return segment === '[]' || words.every((word) => word === '*' || !isDataKey(word));
}

function toNode(): Node {
  return { children: new Map(), kinds: new Set() };
}

function toChild(node: Node, segment: string): Node {
  const child = node.children.get(segment) ?? toNode();
  node.children.set(segment, child);
  return child;
}

function collapse(node: Node): void {
  const keys = [...node.children.keys()].filter((key) => key !== '[]');
  if (keys.length > KEY_LIMIT) {
    const merged = toNode();
    for (const key of keys) {
      const child = node.children.get(key);
      if (child) merge(merged, child);
      node.children.delete(key);
    }
    node.children.set('*', merged);
  }
  for (const child of node.children.values()) collapse(child);
}

function merge(into: Node, from: Node): void {
  for (const kind of from.kinds) into.kinds.add(kind);
  for (const [segment, child] of from.children) merge(toChild(into, segment), child);
}

function collect(node: Node, path: string, paths: { path: string; kinds: readonly string[] }[], dataPaths: Set<string>): void {
  if (node.kinds.size > 0 && path !== '') paths.push({ path, kinds: [...node.kinds].sort() });
  for (const [segment, child] of node.children) {
    const below = segment === '[]' ? `${path}[]` : path === '' ? segment : `${path}.${segment}`;
    if (/^@?\*$/.test(segment)) dataPaths.add(below);
    collect(child, below, paths, dataPaths);
  }
}

// The schemas of OpenLineage themselves (../shared/data beside the project): what we say is held to them, facet by facet.
import { existsSync, readFileSync, readdirSync } from 'node:fs';

import { Ajv2020 } from 'ajv/dist/2020.js';

import { packageFile } from '../../src/kernel/package-root.js';

const folder = packageFile('..', 'shared', 'data', 'openlineage');

/** Why not; undefined: they are there. They MUST be in CI (BAUTA_WORLD). */
export function openLineageMissing(): string | undefined {
  if (existsSync(folder)) return undefined;
  const text = 'the schemas of OpenLineage are not there (../shared/data beside the project)';
  if (process.env['BAUTA_WORLD'] === 'required') throw new Error(text);
  return text;
}

/** What is wrong with an event: by the schema of events, and of each facet by the schema that it names itself. */
export function createOpenLineageCheck(): (event: object) => readonly string[] {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  ajv.addFormat('uri', (text) => /^[a-z][a-z0-9+.-]*:\S+$/i.test(text) && URL.canParse(text));
  ajv.addFormat('date-time', (text) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text));
  ajv.addFormat('uuid', /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
  ajv.addSchema(read(`${folder}/OpenLineage.json`));
  const facets = readdirSync(`${folder}/facets`).map((name) => read(`${folder}/facets/${name}`));
  for (const facet of facets) ajv.addSchema(facet);
  const own = readdirSync(packageFile('docs', 'schema')).filter((name) => /^event-lineage-/.test(name));
  for (const name of own) ajv.addSchema(read(packageFile('docs', 'schema', name)));
  const problems = (schema: string, value: object, where: string): string[] => {
    const validate = ajv.getSchema(schema);
    if (!validate) return [`${where}: no schema ${schema}`];
    return validate(value) === true ? [] : (validate.errors ?? []).map((error) => `${where}${error.instancePath}: ${error.message ?? ''}`);
  };
  return (event) => [
    ...problems('https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent', event, ''),
    ...listFacets(event).flatMap(([name, facet]) =>
      problems(String((facet as Record<string, unknown>)['_schemaURL']), { [name]: facet }, name),
    ),
  ];
}

/** Every facet of an event, wherever it hangs. */
export function listFacets(value: unknown): [string, unknown][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]: [string, unknown]) =>
    /^(f|inputF|outputF)acets$/.test(name) ? Object.entries(member as object) : listFacets(member),
  );
}

const read = (path: string): { readonly $id: string } => JSON.parse(readFileSync(path, 'utf8')) as { readonly $id: string };

// Which format a report is of, by the names of its outermost object. A list, or a name that several have, is for the caller to say.
import { readJson } from './json.js';

const tells = {
  bomFormat: 'cyclonedx',
  ArtifactName: 'trivy',
  ClusterName: 'trivy',
  matches: 'grype',
  check_type: 'checkov',
  profiles: 'inspec',
  terraform_version: 'terraform-plan',
  nodes: 'dbt-manifest',
  elapsed_time: 'dbt-run-results',
  statements: 'openvex',
  runs: 'sarif',
} as const;

export type Told = (typeof tells)[keyof typeof tells] | 'junit';

/** Undefined: it looks like none, or like more than one. */
export async function detectFormat(chunks: AsyncIterable<Uint8Array>): Promise<Told | undefined> {
  const found = new Set<Told>();
  let isXml: boolean | undefined;
  async function* looked(): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      isXml ??= /^\uFEFF?\s*</.test(Buffer.from(chunk.subarray(0, 100)).toString('utf8'));
      if (isXml) return;
      yield chunk;
    }
  }
  const take = (name: string): void => void (Object.hasOwn(tells, name) && found.add(tells[name as keyof typeof tells]));
  // What is no JSON is said where it is read.
  await readJson(looked(), [], () => undefined, take).catch(() => undefined);
  if (isXml === true) return 'junit';
  const [only] = found;
  return found.size === 1 ? only : undefined;
}

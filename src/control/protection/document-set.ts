// The documents of a workspace as they are, and as they would be: the latest version of each, with those of a request put over them.
import { type WrittenDocument, findKeyProblems, loadDocuments, loadWritten, readText } from '../../documents/documents.js';
import type { Finding } from '../../kernel/errors.js';
import { packageFile } from '../../kernel/package-root.js';
import type { Definition } from '../../pipeline/definition.js';
import type { Transaction } from '../../systems/metadata/metadata.js';

const PAGE = 200;
/** What says how a column is protected, who may come in, what may be deployed, what is watched for, or what is done about an incident. */
export const protecting = ['Pipeline', 'Classification', 'Rulebook', 'Environment', 'Issuer', 'Gate', 'Watch', 'Playbook'] as const;

export type Of<Kind extends Definition['kind']> = Extract<Definition, { readonly kind: Kind }>;

export class DocumentSet {
  private constructor(private readonly definitions: readonly Definition[]) {}

  /** The shipped rulebook `default` is among them unless the workspace has its own. */
  static async read(
    { documents }: Transaction,
    changed: readonly WrittenDocument[],
  ): Promise<{ readonly before: DocumentSet; readonly after: DocumentSet }> {
    const kept: { readonly kind: string; readonly name: string; readonly document: object }[] = [];
    for (const kind of protecting)
      for (let after: string | undefined = ''; after !== undefined;) {
        const page = await documents.list(kind, PAGE, after);
        kept.push(...page);
        after = page.length === PAGE ? page.at(-1)?.name : undefined;
      }
    const shipped = await loadDocuments(packageFile('src', 'pipeline', 'mask', 'rulebooks', 'default.yaml'), readText);
    const toSet = async (written: readonly object[]): Promise<DocumentSet> => {
      const { definitions } = await loadWritten(written.map((document) => ({ file: 'kept', written: document })));
      return new DocumentSet([...definitions, ...shipped.definitions].map(({ body }) => body));
    };
    const rest = kept.filter(({ kind, name }) => !changed.some((one) => one.kind === kind && one.name === name));
    const overlaid = changed.filter(({ kind }) => protecting.some((one) => one === kind)).map(({ written }) => written);
    return {
      before: await toSet(kept.map(({ document }) => document)),
      after: await toSet([...rest.map(({ document }) => document), ...overlaid]),
    };
  }

  /** What no single document can say of the keys of an environment. */
  keyProblems(): readonly Finding[] {
    return findKeyProblems(this.definitions);
  }

  find<Kind extends Definition['kind']>(kind: Kind, name: string): Of<Kind> | undefined {
    return this.definitions.find((one): one is Of<Kind> => one.kind === kind && one.name === name);
  }

  all<Kind extends Definition['kind']>(kind: Kind): readonly Of<Kind>[] {
    return this.definitions.filter((one): one is Of<Kind> => one.kind === kind);
  }
}

// The classes of tags that a pool of workers may touch or not.
import type { Plan } from '../../pipeline/plan.js';
import { tagClasses } from '../../pipeline/tags.js';

export { tagClasses };

/** `pci.pan` → `pci`; undefined for what is no tag of such a class. */
export function toTagClass(tag: string): string | undefined {
  return tagClasses.find((tagClass) => tagClass === tag.split('.', 1)[0]);
}

/** What the plan touches beyond what the pool may, whoever said so: a document, a comment, a label or a foreign key. */
export function findBeyond(plan: Plan, pool: readonly string[]): readonly string[] {
  const tags = plan.tables.flatMap(({ columns }) =>
    columns.flatMap(({ tag, rule }) => [tag, ...Object.values(rule.paths ?? {}).map((path) => path.tag)]),
  );
  const touched = new Set(tags.map(toTagClass));
  return tagClasses.filter((tagClass) => touched.has(tagClass) && !pool.includes(tagClass));
}

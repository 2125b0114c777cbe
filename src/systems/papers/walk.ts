// A document's sections in the order of reading, numbered as every format numbers them.
import type { Block, ReportDocument, Section } from '../../pipeline/report/report.js';

export interface Numbered {
  /** For example `2.1`. */
  readonly number: string;
  readonly depth: number;
  readonly section: Section;
  /** The id, and where another section has it, with the number: unique, letters, digits, points, hyphens and underscores. */
  readonly anchor: string;
}

export function toNumbered(document: ReportDocument): readonly Numbered[] {
  const taken = new Set<string>();
  const walk = (sections: readonly Section[], prefix: string, depth: number): Numbered[] =>
    sections.flatMap((section, index) => {
      const number = `${prefix}${index + 1}`;
      let anchor = section.id.toWellFormed().replace(/[^\p{L}\p{N}._-]/gu, '-');
      while (taken.has(anchor)) anchor = `${anchor}-${number}`;
      taken.add(anchor);
      return [{ number, depth, section, anchor }, ...walk(section.sections ?? [], `${number}.`, depth + 1)];
    });
  return walk(document.sections, '', 1);
}

/** All blocks with the section that they stand in; those of page 1 have none. */
export function listBlocks(document: ReportDocument): readonly { readonly at: Numbered | null; readonly block: Block }[] {
  return [
    ...document.front.map((block) => ({ at: null, block })),
    ...toNumbered(document).flatMap((at) => at.section.blocks.map((block) => ({ at, block }))),
  ];
}

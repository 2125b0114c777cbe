// A document's sections in the order of reading, numbered as every format numbers them.
import type { Block, ReportDocument, Section, Table } from '../../pipeline/report/report.js';

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

/** For whoever turns pages: tables of a section that have a title and no row are one line, where the first of them stands. */
export function joinEmptyTables(blocks: readonly Block[]): readonly Block[] {
  const isEmpty = (block: Block): boolean => block.kind === 'table' && block.rows.length === 0 && block.title !== undefined;
  const titles = blocks.flatMap((block) => (isEmpty(block) ? [(block as Table).title] : []));
  const line: Block = { kind: 'text', text: `None in this period: ${titles.join(' · ')}.` };
  const first = blocks.findIndex(isEmpty);
  return blocks.flatMap((block, i) => (isEmpty(block) ? (i === first ? [line] : []) : [block]));
}

/** All blocks with the section that they stand in; those of page 1 have none. */
export function listBlocks(document: ReportDocument): readonly { readonly at: Numbered | null; readonly block: Block }[] {
  return [
    ...document.front.map((block) => ({ at: null, block })),
    ...toNumbered(document).flatMap((at) => at.section.blocks.map((block) => ({ at, block }))),
  ];
}

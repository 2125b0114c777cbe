// A report as PDF: A4, tagged, with bookmarks, page numbers, and a head and foot that say period and checkpoint. Dates and id come from the document.
import { digestBytes } from '../../kernel/digest.js';
import type { ReportDocument } from '../../pipeline/report/report.js';
import { toJson } from './json.js';
import { PdfBlocks } from './pdf-blocks.js';
import { type Element, LEFT, Sheet, WIDTH } from './pdf-sheet.js';
import { toShownPeriod } from './shown-time.js';
import { type Numbered, joinEmptyTables, toNumbered } from './walk.js';

interface Entry {
  readonly section: Pick<Numbered, 'number' | 'anchor' | 'depth'>;
  readonly title: string;
  readonly page: number;
}

export async function toPdf(document: ReportDocument): Promise<Uint8Array> {
  const at = new Date(document.period.to);
  const sheet = new Sheet({ title: document.title, report: document.report, at, digest: digestBytes(toJson(document)) });
  const blocks = new PdfBlocks(sheet, document.period.zone);
  const sections = toNumbered(document);
  const period = `${toShownPeriod(document.period)} (${document.period.zone})`;
  drawFront(sheet, blocks, document, period);
  const contents = new Contents(sheet, sections.length + 1);
  // Where the list has a page of its own, there is room below it.
  if (sheet.pages === 1) sheet.turn();
  const entries = drawSections(sheet, blocks, sections);
  if (blocks.annexed.length > 0) entries.push(drawAnnex(sheet, blocks));
  contents.fill(entries);
  sheet.finish(
    [document.title, period],
    [`Bauta · ${document.report}`, ...(document.running === undefined ? [] : [document.running])].join(' · '),
  );
  return sheet.toBytes();
}

function drawFront(sheet: Sheet, blocks: PdfBlocks, document: ReportDocument, period: string): void {
  const front = sheet.group(sheet.root, 'Sect');
  sheet.tag(front, 'P', () => sheet.line(`BAUTA · ${document.report.toUpperCase()}`, LEFT, sheet.y, 'plain', 7.5, 'muted'));
  sheet.y += 16;
  blocks.paragraph(front, 'H1', document.title, { face: 'bold', size: 21, colour: 'text', after: 4 });
  blocks.paragraph(front, 'P', document.subtitle, { face: 'plain', size: 10.5, colour: 'muted', after: 6 });
  blocks.paragraph(front, 'P', period, { face: 'plain', size: 9.5, colour: 'text', after: 12 });
  for (const block of document.front) blocks.draw(front, block);
  front.end();
}

function drawSections(sheet: Sheet, blocks: PdfBlocks, sections: readonly Numbered[]): Entry[] {
  const entries: Entry[] = [];
  const open: { readonly depth: number; readonly element: Element; readonly mark: PDFKit.PDFOutline }[] = [];
  sections.forEach((numbered, i) => {
    const { section, number, depth } = numbered;
    while ((open.at(-1)?.depth ?? 0) >= depth) open.pop()?.element.end();
    const element = sheet.group(open.at(-1)?.element ?? sheet.root, 'Sect');
    const isParent = (sections[i + 1]?.depth ?? 0) > depth;
    const below = blocks.toStart(joinEmptyTables(section.blocks)[0] ?? (isParent ? section.sections?.[0]?.blocks[0] : undefined));
    blocks.heading(element, number, section.title, depth, numbered.anchor, below + (section.blocks.length === 0 && isParent ? 34 : 0));
    // Named in the list of bookmarks as on the page.
    const mark = (open.at(-1)?.mark ?? sheet.doc.outline).addItem(`${number} ${section.title}`, { expanded: depth === 1 });
    open.push({ depth, element, mark });
    entries.push({ section: numbered, title: section.title, page: sheet.pages });
    for (const block of joinEmptyTables(section.blocks)) blocks.draw(element, block);
    if (section.blocks.length === 0 && !isParent) blocks.none(element, 'Nothing to report in this section.');
  });
  for (const { element } of open.reverse()) element.end();
  return entries;
}

/** Numbers of charts that have too many to stand below them. */
function drawAnnex(sheet: Sheet, blocks: PdfBlocks): Entry {
  const annex = sheet.group(sheet.root, 'Sect');
  const title = 'Annex: the numbers of the charts';
  sheet.turn();
  blocks.heading(annex, '', title, 1, 'annex-numbers', 100);
  sheet.doc.outline.addItem(title);
  const entry = { section: { number: '', anchor: 'annex-numbers', depth: 1 }, title, page: sheet.pages };
  blocks.drawAnnexed(annex);
  annex.end();
  return entry;
}

const ROW = 15;

/** Room for the list of contents is kept on page 1, or where there is none on the next; pages are filled in at the end. */
class Contents {
  private readonly element: Element;
  private readonly places: { readonly page: number; readonly y: number }[] = [];

  constructor(
    private readonly sheet: Sheet,
    count: number,
  ) {
    this.element = sheet.group(sheet.root, 'TOC');
    sheet.y += 14;
    sheet.reserve(Math.min(count * ROW + 24, sheet.whole));
    sheet.tag(this.element, 'Caption', () => sheet.line('Contents', LEFT, sheet.y, 'bold', 11, 'text'));
    sheet.y += 20;
    for (let i = 0; i < count; i++) {
      sheet.reserve(ROW);
      this.places.push({ page: sheet.pages - 1, y: sheet.y });
      sheet.y += ROW;
    }
  }

  fill(entries: readonly Entry[]): void {
    const { sheet } = this;
    entries.forEach(({ section, title, page }, i) => {
      const place = this.places[i];
      if (!place) return;
      sheet.doc.switchToPage(place.page);
      const x = LEFT + (section.depth - 1) * 14;
      const right = sheet.measure.plain.toWidth(String(page), 9);
      const name = sheet.measure.plain.toFitting([section.number, title].filter(Boolean).join('  '), 9, WIDTH - (x - LEFT) - right - 30);
      sheet.tag(this.element, 'TOCI', () => {
        sheet.line(name, x, place.y, 'plain', 9, 'text');
        sheet.line(String(page), LEFT + WIDTH - right, place.y, 'plain', 9, 'text');
      });
      const from = x + sheet.measure.plain.toWidth(name, 9) + 6;
      sheet.artifact(() => void sheet.doc.moveTo(from, place.y + 9).lineTo(LEFT + WIDTH - right - 6, place.y + 9).lineWidth(0.5).dash(0.5, { space: 2.5 }).strokeColor('#808a96').stroke().undash()); // prettier-ignore
      sheet.doc.goTo(x, place.y, LEFT + WIDTH - x, ROW - 2, `s-${section.anchor}`);
    });
    this.element.end();
  }
}

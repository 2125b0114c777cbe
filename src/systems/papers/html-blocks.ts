// Blocks of a report as HTML. All text goes through `escapeMarkup`; ids are made of numbers only.
import type { Block, Chart, Column, Field, Table } from '../../pipeline/report/report.js';
import { layOutChart } from './chart.js';
import { findMark, type Mark, noticeTitles, toRanges, toRest } from './marks.js';
import { escapeMarkup, toShownNumber } from './shown-text.js';
import { toShownTimes } from './shown-time.js';
import { toSvg } from './svg.js';

export class BlockWriter {
  private blocks = 0;

  constructor(private readonly zone: string) {}

  /** `place`: what the section is called, for tables without a title of their own. */
  write(block: Block, place: string): string {
    this.blocks += 1;
    switch (block.kind) {
      case 'text':
        return toParagraphs(toShownTimes(block.text, this.zone));
      case 'notice':
        return `<div class="notice ${block.tone}" role="note"><strong>${noticeTitles[block.tone]}</strong>${toParagraphs(toShownTimes(block.text, this.zone))}</div>`;
      case 'fields':
        return block.fields.length === 0 ? NOTHING : `<dl>${block.fields.map((field) => this.writeField(field)).join('')}</dl>`;
      case 'table':
        return this.writeTable(block, place);
      case 'chart':
        return this.writeChart(block);
    }
  }

  private writeField({ label, value, standing, entries = [] }: Field): string {
    const shown = value === null ? '<span class="none">unknown</span>' : escapeMarkup(toShownTimes(value, this.zone));
    const log = entries.length > 0 ? `<span class="log">log ${toRanges(entries)}</span>` : '';
    return `<div class="row"><dt>${escapeMarkup(label)}</dt><dd>${shown}${log}</dd><dd class="how">${writeMark(findMark(standing), standing)}</dd></div>\n`;
  }

  private writeTable({ title, columns, rows, total, rest }: Table, place: string): string {
    const caption = title === undefined ? '' : `<caption>${escapeMarkup(title)}</caption>`;
    const head = columns.map(({ title: name, kind }) => `<th scope="col" class="${kind}">${escapeMarkup(name)}</th>`).join('');
    const body =
      rows.length === 0
        ? `<tr><td class="none" colspan="${Math.max(1, columns.length)}">None in this period.</td></tr>\n`
        : rows.map((row) => `<tr>${columns.map((column, i) => this.writeCell(column, row[i] ?? null)).join('')}</tr>\n`).join('');
    const more = toRest(rows.length, total, rest);
    return `<div class="scroll" role="region" tabindex="0" aria-label="${escapeMarkup(title ?? place)}"><table>${caption}<thead><tr>${head}</tr></thead>
<tbody>${body}</tbody></table></div>${more && `<p class="rest">${escapeMarkup(more)}</p>`}`;
  }

  private writeCell({ kind }: Column, value: string | number | null): string {
    if (value === null) return `<td class="${kind} none">–</td>`;
    if (typeof value === 'number') return `<td class="${kind}">${toShownNumber(value)}</td>`;
    if (kind === 'conclusion' || kind === 'standing') return `<td>${writeMark(findMark(value), value)}</td>`;
    if (kind === 'time') return `<td class="time">${writeTime(toShownTimes(value, this.zone))}</td>`;
    const length = kind === 'id' ? (value.length > 40 ? ' long' : value.length > 24 ? '' : ' short') : '';
    return `<td class="${kind}${length}">${escapeMarkup(value)}</td>`;
  }

  private writeChart(chart: Chart): string {
    const id = `chart-${this.blocks}`;
    const head = ['', ...chart.series.map(({ name }) => name)].map(
      (name) => `<th scope="col" class="${name === '' ? '' : 'number'}">${escapeMarkup(name)}</th>`,
    );
    const body = chart.labels.map((label, i) => {
      const cells = chart.series.map(({ values }) => this.writeCell({ title: '', kind: 'number' }, values[i] ?? null)).join('');
      return `<tr><th scope="row">${escapeMarkup(label)}</th>${cells}</tr>\n`;
    });
    const numbers = `<div class="numbers${body.length > 16 ? ' many' : ''}" role="region" tabindex="0" aria-label="The numbers of this chart"><table><thead><tr>${head.join('')}</tr></thead><tbody>${body.join('')}</tbody></table></div>`;
    return `<figure><figcaption>${escapeMarkup(chart.title)}</figcaption>${toSvg(layOutChart(chart), chart.title, id)}${body.length > 0 ? numbers : ''}</figure>`;
  }
}

/** Broken, where it must be, before the offset only. */
const writeTime = (shown: string): string => `<span>${escapeMarkup(shown).replace(/ (?=[+-]\d\d:\d\d$)/, '</span> <span>')}</span>`;

const NOTHING = '<p class="none">Nothing to report here.</p>';

const toParagraphs = (text: string): string =>
  text
    .split(/\n\s*\n/)
    .map((paragraph) => `<p>${escapeMarkup(paragraph.trim()).replaceAll('\n', '<br>')}</p>`)
    .join('');

function writeMark(mark: Mark | undefined, word: string): string {
  if (!mark) return escapeMarkup(word);
  return `<span class="mark ${mark.tone}"><i aria-hidden="true">${mark.sign}</i>${mark.word}</span>`;
}

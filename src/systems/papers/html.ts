// A report as one HTML file: no script, nothing from anywhere else, every text escaped. It opens from a disk, prints, and can be read aloud.
import { createHash } from 'node:crypto';

import type { ReportDocument } from '../../pipeline/report/report.js';
import { BlockWriter } from './html-blocks.js';
import { style } from './html-style.js';
import { escapeMarkup } from './shown-text.js';
import { toShownPeriod } from './shown-time.js';
import { type Numbered, joinEmptyTables, toNumbered } from './walk.js';

/** The browser itself holds the page to it: one style by its digest, and nothing else at all. */
const POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'none'`;

export function toHtml(document: ReportDocument): string {
  const sections = toNumbered(document);
  const writer = new BlockWriter(document.period.zone);
  const period = `${toShownPeriod(document.period)} (${document.period.zone})`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<title>${escapeMarkup(document.title)}</title>
<style>${style}</style>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header>
<p class="kicker">Bauta · ${escapeMarkup(document.report)}</p>
<h1>${escapeMarkup(document.title)}</h1>
<p class="subtitle">${escapeMarkup(document.subtitle)}</p>
<p class="period">${escapeMarkup(period)}</p>
${document.front.map((block) => writer.write(block, document.title)).join('\n')}
</header>
${toContents(sections)}
<main id="content">
${nest(sections, (section) =>
  joinEmptyTables(section.section.blocks)
    .map((block) => writer.write(block, section.section.title))
    .join('\n'),
)}
</main>
<footer><p>${escapeMarkup([document.title, period, ...(document.running === undefined ? [] : [document.running])].join(' · '))}</p></footer>
</body>
</html>
`;
}

const toAnchor = ({ anchor }: Numbered): string => `s-${anchor}`;

function toContents(sections: readonly Numbered[]): string {
  if (sections.length < 2) return '';
  const items = nestAs(
    sections.filter(({ depth }) => depth <= 2),
    (section, inner) =>
      `<li><span class="no">${section.number}</span><a href="#${encodeURIComponent(toAnchor(section))}">${escapeMarkup(section.section.title)}</a>${inner && `<ol>${inner}</ol>`}</li>`,
  );
  return `<nav aria-labelledby="contents"><h2 id="contents">Contents</h2><ol>${items}</ol></nav>`;
}

function nest(sections: readonly Numbered[], toBody: (section: Numbered) => string): string {
  return nestAs(sections, (section, inner) => {
    const heading = `h${Math.min(section.depth + 1, 6)}`;
    const id = toAnchor(section);
    const body = toBody(section);
    const empty = body === '' && inner === '' ? '<p class="none">Nothing to report in this section.</p>' : '';
    return `<section aria-labelledby="${id}">
<${heading} id="${id}"><span class="no">${section.number}</span>${escapeMarkup(section.section.title)}</${heading}>
${body}${empty}${inner}
</section>
`;
  });
}

/** Sections in reading order, folded into the tree that their depths say. */
function nestAs(sections: readonly Numbered[], write: (section: Numbered, inner: string) => string): string {
  let text = '';
  for (let i = 0; i < sections.length;) {
    const section = sections[i] as Numbered;
    let end = i + 1;
    while (end < sections.length && (sections[end] as Numbered).depth > section.depth) end += 1;
    text += write(section, nestAs(sections.slice(i + 1, end), write));
    i = end;
  }
  return text;
}

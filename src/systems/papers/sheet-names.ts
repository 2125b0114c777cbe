// Names of a workbook's sheets: at most 31 characters, without what the format forbids, and each once, whatever its case.
import { toShown } from './shown-text.js';

const LONGEST = 31;

export class SheetNames {
  private readonly taken = new Set<string>();

  take(title: string): string {
    const wished = toShown(title)
      .replace(/[[\]/\\:*?]+/g, ' ')
      .replace(/\s+/g, ' ')
      .replace(/^[' ]+|[' ]+$/g, '');
    for (let count = 1; ; count++) {
      const suffix = count === 1 ? '' : ` (${count})`;
      const name = `${cut(wished === '' ? 'Sheet' : wished, LONGEST - suffix.length)}${suffix}`;
      // A name that spreadsheets keep for themselves.
      if (this.taken.has(name.toLowerCase()) || name.toLowerCase() === 'history') continue;
      this.taken.add(name.toLowerCase());
      return name;
    }
  }
}

/** In units of UTF-16, as the format counts, without halving a character. */
const cut = (text: string, length: number): string => text.slice(0, length).replace(/[\ud800-\udbff]$/, '').replace(/[' ]+$/, ''); // prettier-ignore

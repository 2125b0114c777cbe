// Values of a table that can be no fake of ours, counted by column while its lines go by. No value is kept anywhere.
import { type RawKind, findRaw, isWorthALook } from './raw-value.js';

export interface RawCount {
  readonly column: string;
  readonly kind: RawKind;
  readonly values: number;
}

export class RawScan {
  private readonly found = new Map<string, RawCount>();
  private readonly decoder = new TextDecoder();
  private rest = '';

  constructor(private readonly columns: readonly string[]) {}

  /** The next bytes of `COPY … TO STDOUT`; lines may be cut anywhere. */
  update(chunk: Uint8Array): void {
    const text = this.rest + this.decoder.decode(chunk, { stream: true });
    const end = text.lastIndexOf('\n') + 1;
    this.rest = text.slice(end);
    this.look(text.slice(0, end));
  }

  counts(): readonly RawCount[] {
    this.look(this.rest);
    this.rest = '';
    return [...this.found.values()];
  }

  private look(text: string): void {
    if (!isWorthALook(text)) return;
    for (const line of text.split('\n')) {
      if (!isWorthALook(line)) continue;
      for (const [at, field] of line.split('\t').entries()) {
        for (const kind of findRaw(field)) {
          const key = `${at} ${kind}`;
          const known = this.found.get(key) ?? { column: this.columns[at] ?? '', kind, values: 0 };
          this.found.set(key, { ...known, values: known.values + 1 });
        }
      }
    }
  }
}

// Progress on stderr: a bar with rows/s and time left on a terminal, a plain line now and then elsewhere.

const BAR = 28;
const EVERY_MS = { terminal: 100, plain: 5000 } as const;

export class Progress {
  private rows = 0;
  private shownAt = 0;
  private shown = false;
  /** When the first rows were there: what was waited for before them is no part of the rate. */
  private startedAt: number | undefined;

  /** `expectedRows`: an estimate; the bar never says that it is done before `end`. `quiet`: say nothing. */
  constructor(
    private readonly label: string,
    private readonly expectedRows: number,
    private readonly quiet = false,
    private readonly stream: NodeJS.WriteStream = process.stderr,
    private readonly now: () => number = () => performance.now(),
  ) {
    // Elsewhere than on a terminal a short copy needs no line at all.
    if (!stream.isTTY) this.shownAt = now();
  }

  add(rows: number): void {
    this.rows += rows;
    const now = this.now();
    this.startedAt ??= now;
    if (this.quiet || now - this.shownAt < (this.stream.isTTY ? EVERY_MS.terminal : EVERY_MS.plain)) return;
    this.shownAt = now;
    this.shown = true;
    this.stream.write(this.stream.isTTY ? `\r${this.line()}\u001b[K` : `${this.line()}\n`);
  }

  end(): void {
    if (!this.quiet && this.shown && this.stream.isTTY) this.stream.write('\r\u001b[K');
  }

  private line(): string {
    const seconds = Math.max(this.now() - (this.startedAt ?? 0), 1) / 1000;
    const rate = seconds < 0.2 ? 0 : this.rows / seconds;
    const part = Math.min(0.99, this.rows / Math.max(this.expectedRows, 1));
    const left = part > 0.01 && seconds > 1 ? `, ${Math.ceil((seconds * (1 - part)) / part)} s left` : '';
    const full = Math.round(part * BAR);
    return `${this.label} [${'█'.repeat(full)}${'·'.repeat(BAR - full)}] ${this.rows.toLocaleString('en')} rows${rate > 0 ? `, ${Math.round(rate).toLocaleString('en')}/s` : ''}${left}`;
  }
}

// A report as data: what every format of it says, and nothing of how it looks. Made from the log alone; rendered to HTML, PDF, JSON, CSV and XLSX.

/** How a statement is known: seen in the log, said by somebody, or neither. No evidence is never a pass (DESIGN §7). */
export type Standing = 'evidenced' | 'declared' | 'unknown';

/** What became of a check, or of one item of its population. */
export type Conclusion = 'pass' | 'exception' | 'no evidence';

/** One value and how it is known. `value` is text as it is shown, times in the report's zone; null where it is unknown. */
export interface Field {
  readonly label: string;
  readonly value: string | null;
  readonly standing: Standing;
  /** Entries of the log that say so. */
  readonly entries?: readonly number[];
}

export interface Column {
  readonly title: string;
  /** Numbers are set to the right; a conclusion or a standing is set as a mark, and always as a word, too. */
  readonly kind: 'text' | 'number' | 'time' | 'id' | 'conclusion' | 'standing';
}

/** Rows in a stated order. `total` is how many there are where not all are shown, and `rest` says where the others stand. */
export interface Table {
  readonly kind: 'table';
  readonly title?: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly (string | number | null)[])[];
  readonly total?: number;
  readonly rest?: string;
}

export interface Series {
  readonly name: string;
  /** One for each of the chart's `labels`; null where nothing is known, which is drawn as a gap and not as zero. */
  readonly values: readonly (number | null)[];
}

/** A chart says one thing, in its title. The same numbers are a table for whoever cannot see it. */
export interface Chart {
  readonly kind: 'chart';
  readonly shape: 'bars' | 'stacked' | 'lines';
  readonly title: string;
  readonly unit: string;
  readonly labels: readonly string[];
  readonly series: readonly Series[];
}

export interface Fields {
  readonly kind: 'fields';
  readonly fields: readonly Field[];
}

/** Text of our own words; never markup. */
export interface Text {
  readonly kind: 'text';
  readonly text: string;
}

/** What a reader must not miss: a broken log, what is out of scope, what is not enforced. */
export interface Notice {
  readonly kind: 'notice';
  readonly tone: 'note' | 'warning' | 'broken';
  readonly text: string;
}

export type Block = Table | Chart | Fields | Text | Notice;

export interface Section {
  /** Stable, for anchors and for whoever reads the JSON: lower case, digits, points and hyphens. */
  readonly id: string;
  readonly title: string;
  readonly blocks: readonly Block[];
  readonly sections?: readonly Section[];
}

/** Dates are RFC 3339 in UTC; `zone` is the IANA name that shown times are in. */
export interface ReportDocument {
  readonly report: string;
  readonly title: string;
  readonly subtitle: string;
  readonly period: { readonly from: string; readonly to: string; readonly zone: string };
  /** What every printed page repeats beside the period: the checkpoint, in short. */
  readonly running?: string;
  /** Page 1: period, versions, commit, policy revision, checkpoint, whether the log verifies, who has cosigned. */
  readonly front: readonly (Fields | Notice | Text)[];
  readonly sections: readonly Section[];
}

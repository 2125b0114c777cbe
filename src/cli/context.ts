// What every command has: its options, the settings, and where its words go.

export interface GlobalOptions {
  readonly home?: string;
  readonly json?: boolean;
  readonly format?: 'text' | 'json';
}

export function wantsJson(options: GlobalOptions): boolean {
  return options.json === true || options.format === 'json';
}

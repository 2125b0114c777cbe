// What every command has: its options, the settings, and where its words go.

export interface GlobalOptions {
  readonly home?: string;
  readonly json?: boolean;
  readonly format?: 'text' | 'json';
  /** The service that it is done at; default: BAUTA_SERVER. */
  readonly server?: string;
  /** Where the token is: env:NAME or file:PATH; default: BAUTA_TOKEN. */
  readonly token?: string;
}

export function wantsJson(options: GlobalOptions): boolean {
  return options.json === true || options.format === 'json';
}

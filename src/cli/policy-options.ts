// The options of `bauta policy`, whichever it does.
import type { GlobalOptions } from './context.js';

export interface PolicyOptions extends GlobalOptions {
  readonly out?: string;
  readonly signingKey?: string;
  readonly revision?: string;
  readonly inputs?: string;
  readonly bundle?: string;
  readonly count?: number;
}

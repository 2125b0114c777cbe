// A format of reports: which values of the document it needs, and what they mean.
import type { Scanning } from './scan.js';

export type Keys = readonly (string | number)[];

export interface Reading {
  readonly paths: readonly string[];
  /** Called with each value at `paths`, in the order of the document. */
  take(value: unknown, keys: Keys): void;
  /** Called with each name of the outermost object, before its value. */
  key?(name: string): void;
  /** What can be said only once everything was seen. */
  end?(): void;
}

export type Format = (scanning: Scanning) => Reading;

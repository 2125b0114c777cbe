// What the checks of a framework's controls came to in a period: what OSCAL is written from. A pure value, made from the log like the report beside it.
import type { Conclusion } from './document.js';

/** Something that a check did not find in order. One item can be several exceptions, of several checks. */
export interface AssessedException {
  /** By which it is found in its population. */
  readonly item: string;
  readonly what: string;
  /** Null where nobody has said why. */
  readonly cause: string | null;
  /** RFC 3339 in UTC. */
  readonly since: string;
  /** Who agreed to it, and until when; null: nobody did, and it is open. */
  readonly approved: { readonly by: string; readonly until: string } | null;
  /** Entries of the log that say so: `2026/17`. */
  readonly entries: readonly string[];
}

/** A whole population, as a file of the package has it. */
export interface Population {
  readonly name: string;
  readonly rows: number;
  /** Where it stands in the package, for example `populations/runs.csv`, with the digest of its bytes as hex. Absent: it is not in a file. */
  readonly file?: { readonly path: string; readonly sha256: string };
}

export interface AssessedCheck {
  /** Stable, lower case, for example `gdpr-5-1-c.columns-masked`. */
  readonly id: string;
  readonly title: string;
  /** What is asked of each item, in our own words. */
  readonly attribute: string;
  readonly population: Population;
  readonly conclusion: Conclusion;
  /** Items that it is about. */
  readonly tested: number;
  readonly exceptionCount: number;
  /** All of them, or the first where they are many. */
  readonly exceptions: readonly AssessedException[];
}

export interface AssessedControl {
  /** As the framework writes it, for example `CC8.1` or `32(1)(d)`. */
  readonly id: string;
  /** In our own words: texts of AICPA and ISO are not ours to print. */
  readonly title: string;
  /** What Bauta does for it, in our own words. */
  readonly statement: string;
  /** The worst of its checks; without a check, or without evidence for one, `no evidence` unless there is an exception. */
  readonly conclusion: Conclusion;
  readonly checks: readonly AssessedCheck[];
}

export interface Assessment {
  readonly framework: { readonly id: string; readonly title: string; readonly version: string };
  readonly workspace: string;
  /** RFC 3339 in UTC. */
  readonly period: { readonly from: string; readonly to: string };
  /** What made it, for example `0.1.0`, and the commit it was built from. */
  readonly software: { readonly version: string; readonly commit: string | null };
  /** The signed state of the log that all of it is read from. */
  readonly checkpoint: { readonly origin: string; readonly size: number; readonly root: string } | null;
  readonly scope: string;
  readonly controls: readonly AssessedControl[];
}

// The question to the gate and its answer. Facts only: tags, transforms, key versions, target, policy digest; never a row.
import type { Json } from '../kernel/canonical-json.js';

export type GateInput = Readonly<Record<string, Json>>;

/** Whole numbers: `earned` and `possible` are hundredths of points, `hundredths` is their quotient in hundredths of a percent, rounded down. */
export interface Score {
  readonly hundredths: number;
  readonly earned: number;
  readonly possible: number;
  readonly items: readonly {
    readonly code: string;
    readonly points: number;
    readonly earned: number;
    readonly evidenceId: string | null;
  }[];
}

export interface Decision {
  readonly decisionId: string;
  readonly allow: boolean;
  readonly reasons: readonly {
    readonly code: string;
    readonly controlIds: readonly string[];
    readonly message: string;
    readonly hint: string;
    /** Of a deployment: what it costs of the score, and the evidence that it is about. */
    readonly points?: number;
    readonly evidenceId?: string | null;
  }[];
  /** Of a deployment. */
  readonly score?: Score;
  /** Of a deployment: names of the evidence that there is none of. */
  readonly missing?: readonly string[];
  /** Of a deployment: codes for which the version that the tests ran on is revoked, should an earlier decision be flipped by this one. */
  readonly revokes?: readonly string[];
  readonly policy: { readonly revision: string; readonly digest: string };
  /** What was asked beside it and had to have nothing against it: the users' own bundle, a server. */
  readonly others?: readonly {
    readonly name: string;
    readonly revision: string;
    readonly digest: string;
    /** Why a newer one is not in force, as a code of docs/errors.md. */
    readonly refused?: string;
  }[];
}

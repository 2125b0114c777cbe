// The question to the gate and its answer. Facts only: tags, transforms, key versions, target, policy digest; never a row.
import type { Json } from '../kernel/canonical-json.js';

export type GateInput = Readonly<Record<string, Json>>;

export interface Decision {
  readonly decisionId: string;
  readonly allow: boolean;
  readonly reasons: readonly {
    readonly code: string;
    readonly controlIds: readonly string[];
    readonly message: string;
    readonly hint: string;
  }[];
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

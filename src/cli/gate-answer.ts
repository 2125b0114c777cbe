// What a gate of a service answers: docs/openapi.json.
export interface GateAnswer {
  readonly allow: boolean;
  readonly score: number;
  readonly threshold: number;
  readonly reasons: readonly {
    readonly code: string;
    readonly controlIds: readonly string[];
    readonly message: string;
    readonly points: number;
    readonly evidenceId: string | null;
    readonly hint: string;
  }[];
  readonly missing: readonly string[];
  readonly items: readonly { readonly code: string; readonly points: number; readonly earned: number }[];
  readonly waived: readonly { readonly evidenceId: string; readonly findings: number; readonly until: string | null }[];
  readonly enforced?: boolean;
  readonly wouldDeny?: readonly string[];
  /** Null: the gate could not be asked, and a break-glass let it through. */
  readonly decisionId: string | null;
  readonly policy: { readonly revision: string };
  readonly expiresAt: string;
  /** True: the service could not look again. */
  readonly kept?: boolean;
  readonly breakglass?: { readonly id: string; readonly use: string; readonly offline: boolean; readonly expiresAt: string };
}

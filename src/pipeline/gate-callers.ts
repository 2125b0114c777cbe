// Systems that ask a gate in a language of their own: what each says, and where its answer goes. Secrets are references.

export interface GateCallers {
  readonly github?: GitHubCaller;
  readonly gitlab?: GitLabCaller;
  readonly kubernetes?: KubernetesCaller;
  readonly azure?: AzureCaller;
}

/** A custom deployment protection rule of a GitHub App. */
export interface GitHubCaller {
  /** Signs its webhooks. */
  readonly secret: string;
  /** Id of the App, and its private key in PEM. */
  readonly app: number;
  readonly key: string;
  /** Of the REST API, without a slash at its end. */
  readonly api: string;
  readonly repositories: readonly { readonly id: number; readonly name: string; readonly service: string }[];
  /** From names that GitHub knows to names that the gate knows; one that is not here has the same. */
  readonly environments: Readonly<Record<string, string>>;
}

/** An external status check of merge requests. */
export interface GitLabCaller {
  /** Signs its requests. */
  readonly secret: string;
  /** Of somebody who may answer. */
  readonly token: string;
  readonly api: string;
  readonly projects: readonly {
    readonly id: number;
    /** Id of the status check. */
    readonly check: number;
    readonly service: string;
    readonly environment: string;
  }[];
}

/** A validating admission webhook. */
export interface KubernetesCaller {
  /** The last segment of its address. */
  readonly secret: string;
  /** What is asked about in each namespace; of one that is not here nothing is let in. */
  readonly namespaces: readonly { readonly name: string; readonly environment: string; readonly service?: string }[];
}

/** An Invoke REST API check that waits for its answer. */
export interface AzureCaller {
  readonly organisation: string;
  /** Ids of its projects. */
  readonly projects: readonly string[];
}

export const gateCallers = ['github', 'gitlab', 'kubernetes', 'azure'] as const satisfies readonly (keyof GateCallers)[];

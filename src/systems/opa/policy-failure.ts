// Why there is no answer. Texts of errors are left behind where it is thrown: they may hold input.

/** Each has its code at the door. */
export type Failure = 'unusable' | 'builtin-missing' | 'builtin-off' | 'failed' | 'conflict' | 'too-large';

export class PolicyFailure extends Error {
  readonly failure: Failure;
  /** A built-in's name, never a value. */
  readonly detail: string | undefined;

  constructor(failure: Failure, detail?: string) {
    super(failure);
    this.failure = failure;
    this.detail = detail;
  }
}

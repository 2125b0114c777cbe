// A control of a framework: its id, what it is about in our own words, and the checks that speak of it. The frameworks' texts are not repeated here.
export interface Control {
  readonly id: string;
  readonly about: string;
  /** Ids of `checks`, and `log-verifies`. None: nothing in the log speaks of it, and it can only be without evidence. */
  readonly checks: readonly string[];
  /** What the checks do not reach, where they reach something. */
  readonly beyond?: string;
}

export interface Framework {
  readonly name: string;
  readonly title: string;
  readonly edition: string;
  readonly controls: readonly Control[];
}

export const control = (id: string, about: string, checks: readonly string[] = [], beyond?: string): Control => ({
  ...{ id, about, checks },
  ...(beyond === undefined ? {} : { beyond }),
});

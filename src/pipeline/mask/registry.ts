// Every transform there is, one line each, in alphabetical order: the laws, the plan and docs/transforms.md loop over this list.
import type { Transform } from './transform.js';
import { email } from './transforms/email.js';

// prettier-ignore
export const transforms: readonly Transform[] = [
  email,
];

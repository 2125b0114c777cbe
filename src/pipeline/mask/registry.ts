// Every transform there is, one line each, in alphabetical order: the laws, the plan and docs/transforms.md loop over this list.
import type { Transform } from './transform.js';
import { fixed } from './transforms/fixed.js';
import { keep } from './transforms/keep.js';
import { nullTransform } from './transforms/null.js';

export const transforms: readonly Transform[] = [fixed, keep, nullTransform];

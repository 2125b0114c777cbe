// The second half of the transforms, a million cells each (test/support/mutants-of-a-million.ts).
import { describeMillions } from '../support/mutants-of-a-million.js';

await describeMillions(1, 2);

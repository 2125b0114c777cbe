// What a check is: of each item of a population one attribute, which it has, has not, or nobody can tell.
import type { Conclusion } from './document.js';
import type { Cell } from './populations/population.js';

export interface Check {
  readonly id: string;
  readonly title: string;
  readonly population: string;
  /** What is asked of each item, in words. */
  readonly attribute: string;
  /** Which items it is about. */
  readonly about: string;
  /** Undefined: it is not about this one. */
  readonly judge: (item: Readonly<Record<string, Cell>>) => Conclusion | undefined;
}

export const passIf = (holds: boolean): Conclusion => (holds ? 'pass' : 'exception');
export const knownIf = (holds: boolean): Conclusion => (holds ? 'pass' : 'no evidence');

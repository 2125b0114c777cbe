// One country per person.
import { definePlaceTransform } from '../place-transform.js';

export const country = definePlaceTransform('country', 'code');

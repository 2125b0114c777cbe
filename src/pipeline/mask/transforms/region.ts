// One region per person.
import { definePlaceTransform } from '../place-transform.js';

export const region = definePlaceTransform('region', 'regionCode');

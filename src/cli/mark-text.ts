// What `bauta hold` and `bauta revoke` say, wherever it was done.
import { stripControls } from './print.js';

export const toHeldText = (target: string, version: number, until: string): string =>
  `held: ${stripControls(target)}, version ${version}, until ${until}: nothing drops it`;

export const toRevokedText = (target: string, version: number): string =>
  `revoked: ${stripControls(target)}, version ${version}: nothing goes back to it, clones it or takes it again`;

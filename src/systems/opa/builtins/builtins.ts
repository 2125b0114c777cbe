// The built-in functions that the host provides: one file a family, listed here. All are pure: a result depends on the arguments and on what the
// decision's record holds (its time, its id), so that a record can be replayed. What would look at the world is off, and says so.
import { awsBuiltins } from './aws.js';
import type { Builtin, Family } from './builtin.js';
import { cidrBuiltins } from './cidr.js';
import { cryptoBuiltins } from './crypto.js';
import { encodingBuiltins } from './encoding.js';
import { globBuiltins } from './glob.js';
import { graphBuiltins } from './graph.js';
import { graphqlBuiltins } from './graphql.js';
import { jsonPatchBuiltins } from './json-patch.js';
import { jsonSchemaBuiltins } from './json-schema.js';
import { jwtSignBuiltins } from './jwt-sign.js';
import { jwtBuiltins } from './jwt.js';
import { numberBuiltins } from './numbers.js';
import { objectBuiltins } from './object.js';
import { regexBuiltins } from './regex.js';
import { semverBuiltins } from './semver.js';
import { sprintfBuiltins } from './sprintf.js';
import { stringBuiltins } from './strings.js';
import { templateBuiltins } from './template.js';
import { timeBuiltins } from './time.js';
import { unitBuiltins } from './units.js';
import { uriBuiltins } from './uri.js';
import { uuidBuiltins } from './uuid.js';
import { x509Builtins } from './x509.js';

const families: readonly Family[] = [
  awsBuiltins,
  cidrBuiltins,
  cryptoBuiltins,
  encodingBuiltins,
  globBuiltins,
  graphBuiltins,
  graphqlBuiltins,
  jsonPatchBuiltins,
  jsonSchemaBuiltins,
  jwtBuiltins,
  jwtSignBuiltins,
  numberBuiltins,
  objectBuiltins,
  regexBuiltins,
  semverBuiltins,
  sprintfBuiltins,
  stringBuiltins,
  templateBuiltins,
  timeBuiltins,
  unitBuiltins,
  uriBuiltins,
  uuidBuiltins,
  x509Builtins,
];

export type { Asked, Builtin } from './builtin.js';
export { algorithms, checkSignature, parseKeys } from './jwt.js';
export { BuiltinError } from './operand.js';

export const builtins: ReadonlyMap<string, Builtin> = new Map(families.flatMap((family) => Object.entries(family)));

/** They would look at the world, or differ each time: a decision by them could not be replayed, and could be a way out. */
export const builtinsOff: ReadonlySet<string> = new Set(['http.send', 'net.lookup_ip_addr', 'opa.runtime', 'rand.intn']);

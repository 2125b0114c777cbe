// Every transform there is, one line each, in alphabetical order: the laws, the plan and docs/transforms.md loop over this list.
import { city } from './transforms/city.js';
import { company } from './transforms/company.js';
import { country } from './transforms/country.js';
import { dateOfBirth } from './transforms/date-of-birth.js';
import { dateShift } from './transforms/date-shift.js';
import { email } from './transforms/email.js';
import { firstName } from './transforms/first-name.js';
import { fixed } from './transforms/fixed.js';
import { fullName } from './transforms/full-name.js';
import { generalise } from './transforms/generalise.js';
import { hashToken } from './transforms/hash-token.js';
import { houseNumber } from './transforms/house-number.js';
import { iban } from './transforms/iban.js';
import { integerKey } from './transforms/integer-key.js';
import { ip } from './transforms/ip.js';
import { keep } from './transforms/keep.js';
import { lastName } from './transforms/last-name.js';
import { mac } from './transforms/mac.js';
import { nationalId } from './transforms/national-id.js';
import { nullTransform } from './transforms/null.js';
import { numberNoise } from './transforms/number-noise.js';
import { pan } from './transforms/pan.js';
import { pattern } from './transforms/pattern.js';
import { phone } from './transforms/phone.js';
import { phoneFormat } from './transforms/phone-format.js';
import { postcode } from './transforms/postcode.js';
import { redact } from './transforms/redact.js';
import { region } from './transforms/region.js';
import { replace } from './transforms/replace.js';
import { secret } from './transforms/secret.js';
import { street } from './transforms/street.js';
import { textKey } from './transforms/text-key.js';
import { token } from './transforms/token.js';
import { truncate } from './transforms/truncate.js';
import { url } from './transforms/url.js';
import { username } from './transforms/username.js';
import { uuid } from './transforms/uuid.js';
import type { Transform } from './transform.js';

/** Explicit: a transform that is not in here does not exist. Alphabetical by name. */
export const transforms: readonly Transform[] = [
  city,
  company,
  country,
  dateOfBirth,
  dateShift,
  email,
  firstName,
  fixed,
  fullName,
  generalise,
  hashToken,
  houseNumber,
  iban,
  integerKey,
  ip,
  keep,
  lastName,
  mac,
  nationalId,
  nullTransform,
  numberNoise,
  pan,
  pattern,
  phone,
  phoneFormat,
  postcode,
  redact,
  region,
  replace,
  secret,
  street,
  textKey,
  token,
  truncate,
  url,
  username,
  uuid,
];

// Credentials by their form: password hashes by scheme, tokens by the prefix their makers gave them.
import type { Detector } from './detector.js';

const passwordHash =
  /^(?:\$(?:2[abxy]?|1|5|6|7|y|gy|apr1|argon2(?:id|i|d)|scrypt|pbkdf2[a-z0-9-]{0,20})\$|\{(?:S?SHA\d{0,3}|S?MD5|CRYPT|PBKDF2[A-Z0-9-]{0,10}|bcrypt|noop|scrypt)\}|pbkdf2_sha\d{1,3}\$|bcrypt(?:_sha256)?\$|argon2\$|scrypt:|pbkdf2:|SCRAM-SHA-256\$|md5[0-9a-f]{32}$)/;
const passwordHashInText =
  /\$2[abxy]\$\d{2}\$[./A-Za-z0-9]{53}|\$argon2(?:id|i|d)\$v=|\$[156]\$[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{22}|SCRAM-SHA-256\$\d{1,9}:/;
const prefixed =
  '(?:sk|pk|rk)_(?:live|test)_[A-Za-z0-9]{10}|gh[opsur]_[A-Za-z0-9]{30}|github_pat_[A-Za-z0-9_]{20}|glpat-[A-Za-z0-9_-]{20}|xox[abeoprs]-[A-Za-z0-9-]{10}|(?:AKIA|ASIA)[0-9A-Z]{16}|AIza[A-Za-z0-9_-]{35}|SG\\.[A-Za-z0-9_-]{16}|npm_[A-Za-z0-9]{30}|hv[sb]\\.[A-Za-z0-9_-]{20}|whsec_[A-Za-z0-9]{10}|ya29\\.[A-Za-z0-9_-]{20}|dop_v1_[0-9a-f]{32}|sk-[A-Za-z0-9_-]{20}|EAAC[A-Za-z0-9]{20}';
const jwt = 'eyJ[A-Za-z0-9_-]{10,2000}\\.eyJ[A-Za-z0-9_-]{5,2000}\\.';
const token = new RegExp(`^(?:Bearer )?(?:${prefixed}|${jwt})`);
const tokenInText = new RegExp(
  `(?<![A-Za-z0-9_])(?:${prefixed}|eyJ[A-Za-z0-9_-]{10,400}\\.eyJ[A-Za-z0-9_-]{5,400}\\.)|-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----`,
);
// A fixed number of random bytes as hex or base64url: the lengths that libraries make.
const random = /^(?:[0-9a-f]{40}|[0-9a-f]{48}|[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128})$/i;
const urlWithSecret =
  /^[a-z][a-z0-9+.-]{1,20}:\/\/(?:[^\s/@]{1,200}:[^\s/@]{1,200}@|[^\s?]{1,300}\?(?:[^\s]{0,200}[&;])?(?:token|key|api_?key|secret|sig|signature|auth|password|access_token)=)/i;
const urlWithPassword = /[a-z][a-z0-9+.-]{1,20}:\/\/[^\s/:@]{1,100}:[^\s/@]{1,100}@/i;
const hook =
  /^https:\/\/(?:hooks\.slack\.com|discord(?:app)?\.com\/api\/webhooks|[a-z0-9.-]{1,100}\.webhook\.office\.com|hooks\.zapier\.com)\//i;

export const secrets: readonly Detector[] = [
  {
    rule: 'content/password-hash',
    tag: 'secret.password',
    kinds: ['text'],
    confidence: 0.99,
    matches: (value) => passwordHash.test(value),
    isIn: (text) => passwordHashInText.test(text),
  },
  {
    rule: 'content/token',
    tag: 'secret.token',
    kinds: ['text'],
    confidence: 0.97,
    matches: (value) => token.test(value) || value.startsWith('-----BEGIN '),
    isIn: (text) => tokenInText.test(text),
  },
  { rule: 'content/random', tag: 'secret.token', kinds: ['text'], confidence: 0.5, matches: (value) => random.test(value) },
  {
    rule: 'content/url-secret',
    tag: 'secret.url',
    kinds: ['text'],
    confidence: 0.95,
    matches: (value) => urlWithSecret.test(value) || hook.test(value),
    isIn: (text) => urlWithPassword.test(text),
  },
];

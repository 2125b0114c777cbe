import { type Framework, control } from './control.js';

export const pci: Framework = {
  name: 'pci',
  title: 'Payment Card Industry Data Security Standard',
  edition: '4.0.1',
  controls: [
    control(
      '6.5.5',
      'live card numbers are not used before production',
      ['no-original', 'plan-allowed', 'no-finding'],
      'environments that this service does not fill',
    ),
    control(
      '6.5.6',
      'test data and accounts are gone before production',
      [],
      'what is taken away before production: the log has what gates let through',
    ),
    control(
      '3.5.1.1',
      'hashes of card numbers are keyed',
      ['keys-recorded', 'plan-allowed', 'no-original'],
      'hashes that are not made by this service, and whether truncated numbers stand beside them',
    ),
    control('10.3.4', 'a change of the audit log is found', ['log-verifies']),
    control(
      '10.5.1',
      'audit history is kept',
      [],
      'whether it reaches twelve months back: page 1 says when the oldest entry was written that was read',
    ),
  ],
};

export const hipaa: Framework = {
  name: 'hipaa',
  title: 'HIPAA Privacy Rule, de-identification',
  edition: '45 CFR 164.514(b)(2)',
  controls: [
    control(
      '164.514(b)(2)(i)',
      'the eighteen classes of identifiers are removed',
      [],
      'the log does not say which rulebook made a copy: no copy is called by this method’s name here',
    ),
    control('164.514(b)(2)(ii)', 'nobody knows that what is left identifies a person'),
    control(
      '164.514(c)',
      'codes for re-identification are not derived from the person',
      [],
      'pseudonyms that are derived with a key are derived from the person',
    ),
    control('164.312(b)', 'what happens in systems is recorded and examined', ['log-verifies']),
  ],
};

export const iso27001: Framework = {
  name: 'iso27001',
  title: 'Information security controls',
  edition: 'ISO/IEC 27001:2022, annex A',
  controls: [
    control('A.5.18', 'rights of access are reviewed, changed and taken away', [
      'reviews-in-time',
      'reviews-by-others',
      'revocations-done',
    ]),
    control('A.8.10', 'information is deleted when it is no longer required', ['has-expiry', 'versions-end', 'clones-end', 'drops-seen']),
    control('A.8.11', 'data is masked', ['plan-allowed', 'no-original', 'masking-tested']),
    control('A.8.31', 'development, test and production are apart', ['plan-allowed', 'denied-stays-out'], 'networks and accounts'),
    control('A.8.33', 'test information is selected, protected and managed', [
      'plan-allowed',
      'verified-first',
      'no-finding',
      'versions-end',
    ]),
  ],
};

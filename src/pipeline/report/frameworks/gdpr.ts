import { type Framework, control } from './control.js';

export const gdpr: Framework = {
  name: 'gdpr',
  title: 'General Data Protection Regulation',
  edition: 'Regulation (EU) 2016/679',
  controls: [
    control(
      '5(1)(c)',
      'no more personal data than the purpose needs',
      ['plan-allowed', 'no-finding'],
      'whether the purpose needs the copy at all',
    ),
    control(
      '5(1)(e)',
      'kept no longer than the purpose needs',
      ['has-expiry', 'versions-end', 'clones-end'],
      'copies that somebody pulled or copied elsewhere',
    ),
    control(
      '5(1)(f)',
      'protected against use by who may not, and against loss',
      ['no-original', 'verified-first', 'grants-named', 'refusals-explained', 'pulls-named'],
      'the servers that the copies lie on',
    ),
    control('5(2)', 'able to show all of that', ['log-verifies', 'changes-named']),
    control(
      '17',
      'erasure when the person asks for it',
      ['erasures-completed'],
      'archives that were pulled, backups and replicas: what the attestation of each drop says',
    ),
    control('25', 'protection by design and by default', ['plan-allowed', 'denied-stays-out', 'has-expiry']),
    control('28', 'contracts with processors'),
    control(
      '30',
      'records of processing',
      [],
      'whether the record is complete: in this report it stands with every field, and what nothing says is unknown there',
    ),
    control('32(1)(a)', 'pseudonymisation and encryption', ['no-original', 'keys-recorded', 'keys-changed']),
    control(
      '32(1)(b)',
      'lasting confidentiality, integrity, availability and resilience',
      ['runs-succeed', 'copies-unchanged', 'reviews-in-time'],
      'systems other than this one',
    ),
    control('32(1)(c)', 'able to restore availability and access', [], 'restores of production are not in this log'),
    control('32(1)(d)', 'a process that tests the effectiveness of the measures regularly', [
      'masking-tested',
      'no-original',
      'due-was-done',
    ]),
    control(
      '33',
      'telling the authority of a breach within 72 hours',
      ['incidents-evaluated', 'breaches-told'],
      'that the authority was told, and when: the log has when a named person became aware (bauta breach aware)',
    ),
    control(
      '35',
      'assessing the impact of what is likely a high risk',
      [],
      'the assessment, which people make: this report has an annex for it',
    ),
    ...(
      [
        ['44', 'transfers to third countries at all'],
        ['45', 'transfers on an adequacy decision'],
        ['46', 'transfers with appropriate safeguards'],
        ['47', 'binding corporate rules'],
        ['48', 'orders of third countries to hand data over'],
        ['49', 'transfers by an exception for a case'],
      ] as const
    ).map(([id, about]) => control(id, about, [], 'declared by documents; the report names regions')),
  ],
};

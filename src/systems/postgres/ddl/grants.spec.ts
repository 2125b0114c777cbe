import { expect, it } from '@jest/globals';

import { toDefaultGrantStatements, toGrantStatements } from './ddl.js';

it('names of rights are quoted, the owner is given nothing, and no phase has two statements of one object', () => {
  const place = { label: 'table "a""b".c', on: 'TABLE', schema: 'a"b', name: 'c; DROP' } as const;
  const entries = [
    { role: null, privileges: ['SELECT'] },
    { role: 'x"; DROP ROLE y; --', privileges: ['SELECT', 'INSERT'] },
    { role: 'team', privileges: ['DELETE'] },
  ] as const;
  const column = { ...place, column: 'd"e', closed: false, entries: entries.slice(1) };
  const phases = toGrantStatements({ grants: [{ ...place, closed: true, entries }, column], defaults: [] }, 'team');
  expect(phases.map((phase) => phase.map(({ sql }) => sql))).toEqual([
    ['REVOKE ALL ON TABLE "a""b"."c; DROP" FROM PUBLIC'],
    ['GRANT SELECT ON TABLE "a""b"."c; DROP" TO PUBLIC'],
    ['GRANT SELECT, INSERT ON TABLE "a""b"."c; DROP" TO "x""; DROP ROLE y; --"'],
    ['GRANT SELECT ("d""e"), INSERT ("d""e") ON TABLE "a""b"."c; DROP" TO "x""; DROP ROLE y; --"'],
  ]);
  expect(toDefaultGrantStatements([{ schema: 'a"b', on: 'TABLES', closed: true, entries }], 'team')).toEqual([
    'ALTER DEFAULT PRIVILEGES FOR ROLE "team" IN SCHEMA "a""b" REVOKE ALL ON TABLES FROM PUBLIC',
    'ALTER DEFAULT PRIVILEGES FOR ROLE "team" IN SCHEMA "a""b" GRANT SELECT ON TABLES TO PUBLIC',
    'ALTER DEFAULT PRIVILEGES FOR ROLE "team" IN SCHEMA "a""b" GRANT SELECT, INSERT ON TABLES TO "x""; DROP ROLE y; --"',
  ]);
});

import { expect, it } from '@jest/globals';
import pg from 'pg';

import { toError } from '../../kernel/errors.js';
import { toServerError } from './server-error.js';

const canary = 'anna@canary.example';

function toDatabaseError(fields: Partial<pg.DatabaseError>): pg.DatabaseError {
  return Object.assign(
    new pg.DatabaseError(`value "${canary}" is wrong`, 1, 'error'),
    { detail: `Key (mail)=(${canary})`, hint: canary, where: canary },
    fields,
  );
}

it.each([
  [{ code: '42501' }, 'PRIVILEGE_MISSING'],
  [{ code: '42501', routine: 'check_enable_rls' }, 'ROW_SECURITY_HIDES_ROWS'],
  [{ code: '55P03' }, 'LOCK_TIMEOUT'],
  [{ code: '40P01' }, 'LOCK_TIMEOUT'],
  [{ code: '57014' }, 'STATEMENT_TIMEOUT'],
  [{ code: '57P01' }, 'CONNECTION_LOST'],
  [{ code: '08006' }, 'CONNECTION_LOST'],
  [{ code: '25P03' }, 'CONNECTION_LOST'],
  [{ code: '40001' }, 'SOURCE_REPLICA_CONFLICT'],
  [{ code: '22P02', table: 't', column: 'c' }, 'SERVER_ERROR'],
])('gives %j our code, its coordinates, and none of its texts', (fields, code) => {
  const error = toServerError(toDatabaseError(fields), { connection: 'env:SOURCE', stage: 'extract' });
  const { routine, code: sqlState, ...names } = fields as Record<string, string>;
  void routine;
  expect(error).toMatchObject({ code, where: { connection: 'env:SOURCE', stage: 'extract', sqlState, ...names } });
  expect(`${JSON.stringify(error)}${error.message}${error.hint}${error.stack}`).not.toContain('canary');
});

it('lets an error of ours pass, and takes an unknown one for a lost connection', () => {
  const ours = toError('PLAN_STALE');
  expect(toServerError(ours, { connection: 'c' })).toBe(ours);
  expect(toServerError(new Error(canary), { connection: 'c', stage: 's' })).toMatchObject({ code: 'CONNECTION_LOST' });
  expect(toServerError(Object.assign(new Error(canary), { code: 'ECONNREFUSED' }), { connection: 'c' })).toMatchObject({
    code: 'CONNECTION_UNREACHABLE',
  });
});

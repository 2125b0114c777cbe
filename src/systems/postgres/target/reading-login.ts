// A login that may do in a version what its readers may, and nothing else: for texts of a pipeline's author, which nobody runs as the provisioning
// role. It lives as long as it is held; the sweep drops what a crash leaves, since it looks like a run that is dead.
import type { Login } from '../../../pipeline/ports.js';
import { quoteLiteral, quoteName } from '../quote.js';
import { createOwnRole } from './create-staging.js';
import { tryLock } from './locks.js';
import { toStagingName } from './names.js';
import { toRoleCommentText } from './own-comment.js';
import { createRunLogin } from './run-login.js';
import type { TargetServer } from './session.js';
import { dropStaging } from './sweep.js';

/** `id` MUST be new; `readOnly`: the environment's role of that name. */
export async function openReading(
  server: TargetServer,
  id: string,
  readOnly: string,
): Promise<{ readonly login: Login; close(): Promise<void> }> {
  const hold = await server.openMaintenance();
  const role = toStagingName(server.target, id);
  const close = async (): Promise<void> => {
    try {
      await hold.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1', [role]);
      await dropStaging(hold, role);
    } finally {
      await hold.end();
    }
  };
  try {
    await tryLock(hold, 'run', id);
    const { password, verifier } = createRunLogin();
    await hold.transaction(async () => {
      const comment = toRoleCommentText({ target: server.target, role: 'run' });
      await createOwnRole(hold, role, comment, `LOGIN PASSWORD ${quoteLiteral(verifier)}`);
      await hold.query(`GRANT ${quoteName(readOnly)} TO ${quoteName(role)}`);
    });
    return { login: { role, password }, close };
  } catch (error) {
    await close().catch(() => undefined);
    throw error;
  }
}
